"""Insurers: one client, which speaks each insurer's own dialect."""
