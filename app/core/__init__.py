"""What every feature stands on: time, ids, money, the one commit, the one status change, durable tasks.

Knows no feature and no Flask."""
