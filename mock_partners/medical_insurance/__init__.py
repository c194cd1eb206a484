"""The medical-insurance interface: one endpoint, numbered transactions in a fixed order, a limit on trials."""
