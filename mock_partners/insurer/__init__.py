"""An insurer's core system: policies, intake of claim packages, adjudication per line, books of its own."""
