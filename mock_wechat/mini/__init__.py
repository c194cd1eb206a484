"""Mini-programs (小程序): login, phone numbers, subscribe messages, links."""
