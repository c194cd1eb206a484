"""WeChat Pay v3: orders, refunds, merchant transfers, notifications, bills and the merchants' accounts."""
