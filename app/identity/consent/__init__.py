"""Consents, and the receipts that say what was shared, with whom and when."""
