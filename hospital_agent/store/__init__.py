"""The agent's memory: one SQLite file in which every intention stands before it is acted on."""
