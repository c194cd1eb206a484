"""The S200 dialect of live direct claims: opening a visit, its fees by the hundred, settling, applying, accepting."""
