"""WeChat: the shared access token and the server APIs, the callback's envelope, WeChat Pay version 3."""
