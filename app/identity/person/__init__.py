"""Persons (就诊人) and their bindings to accounts: documents, phone codes, the hospital's check, patient numbers."""
