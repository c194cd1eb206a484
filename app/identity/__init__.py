"""Who somebody is: WeChat users, the persons they act for, consents, operators; and the owners' credentials."""
