"""Official accounts (公众号): tokens, web login, users, menu, messages and the callback server's other end."""
