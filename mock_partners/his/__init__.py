"""The hospitals' stand-in: an HIS in PostgreSQL, its registration interface over HTTP, and the people who go there.

Two fillings: `generator` (Chinese hospitals, deterministic) and `synthea` (the Synthea sample's CSV tables). Both keep
the tables of `interface.sql` beside them; `server.His` serves either.
"""
