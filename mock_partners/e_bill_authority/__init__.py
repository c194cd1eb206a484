"""The finance authority that issues and verifies electronic medical bills."""
