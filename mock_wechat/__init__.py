"""A stand-in for WeChat and WeChat Pay v3 over HTTP: official accounts, mini-programs, payments, and a phone to tap."""
