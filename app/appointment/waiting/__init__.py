"""The waiting list (候补): who gets the next place of a full slot, or of a doctor's full day."""
