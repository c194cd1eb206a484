"""What follows what: event -> the kinds of task that are written in the same transaction."""

from __future__ import annotations

ROUTES: dict[str, tuple[str, ...]] = {}
