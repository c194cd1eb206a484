"""Money that patients pay to a hospital's own merchant number: orders, refunds, WeChat Pay's notifications."""
