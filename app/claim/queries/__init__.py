"""What other features and the use cases of claims read."""
