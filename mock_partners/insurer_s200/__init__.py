"""An insurer's core system that speaks the S200 dialect: the same desk, rules and books, another counter."""
