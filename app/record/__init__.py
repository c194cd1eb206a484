"""What hospitals push and others read: visits, diagnoses, reports, documents, bills, fee lines, e-bills."""
