"""The comparison itself: ledgers by columns in, an outcome out. Knows Redis and arrays; no database, no web."""
