"""The fourth side: what WeChat Pay and the bank say they moved, against our payments, refunds, payouts and ledger."""
