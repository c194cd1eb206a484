"""建档: a person becomes known to a hospital, strictly in the order of arrival, m at a poll."""
