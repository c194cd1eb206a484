"""Logged-in sessions of accounts and operators alike: short access tokens, refresh tokens that are used once."""
