"""For whoever builds against the exchange: keys, samples, a checker of messages, and what has been seen to work."""
