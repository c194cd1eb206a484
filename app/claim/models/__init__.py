"""Tables of claims and of what belongs to them."""
