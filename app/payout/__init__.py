"""赔付打款: the insurer's money on its way to the payee, and the double-entry ledger underneath."""
