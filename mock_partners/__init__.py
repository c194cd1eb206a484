"""Stand-ins for every partner but WeChat: hospital, insurer, medical-insurance interface, bank, SMS and mail."""
