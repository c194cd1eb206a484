"""The data-exchange server: the only road between the platform and a partner's inside. Partners call, we never do."""
