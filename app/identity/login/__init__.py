"""WeChat users: login by code, sessions with rotating refresh tokens, revocation."""
