"""Passwords are hashed cheaply here: a fifth of a second each time is argon2's strength, not ours to test."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from app.identity.operators import rules


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(rules, "_HASHER", cheap)
    monkeypatch.setattr(rules, "_NOBODY", cheap.hash("nobody"))
