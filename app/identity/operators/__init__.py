"""Operators: password and one-time password, roles that exclude each other, sessions."""
