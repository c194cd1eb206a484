"""What operators see of the exchange: whether a day is complete, who is late, what has failed for good."""
