"""What the agent does with each kind of command, by role."""
