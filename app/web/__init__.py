"""HTTP and nothing else: who is asking, one shape of errors, idempotency, paging, limits."""
