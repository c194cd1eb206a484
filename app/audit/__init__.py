"""Who did what to which row, chained by hash so that a missing or changed entry shows."""
