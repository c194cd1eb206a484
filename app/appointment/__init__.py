"""Departments, doctors, slots and their booking; never oversold."""
