"""The benchmark of the quota in little: n is kept and reached, whatever is killed, and use is added up rightly."""

from __future__ import annotations

import pytest

from bench import interface, trial_quota
from bench.trial_quota import Options
from bench.trial_quota_line import _add_up

QUICK = Options(n=5, window_s=1.5, windows=2, rounds=1, confirm_s=0.0, decisions=3, jitter_s=0.7)


def test_n_is_kept_and_reached(monkeypatch: pytest.MonkeyPatch, fresh_redis_url: str, empty_database_url: str) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    result = trial_quota.run(QUICK)
    assert (result["n"], result["max_in_window"], result["violations"]) == (5, 5, 0)
    assert result["kills"] > 0 and result["arrivals"] > 5
    assert 0 < result["used"] <= 1 and result["decision_ratio"] > 0
    assert result["baseline_max_in_window"] > 0, "how far it breaks the rule depends on how busy the machine is"


def test_windows_are_half_open() -> None:
    assert interface.max_in_window([{"at_ms": at} for at in (0, 10, 999, 1000, 1005)], 1.0) == 4


def test_a_slot_is_idle_from_when_it_is_free_until_it_is_taken_again() -> None:
    free, taken, released = (1, 0.0, 0.0, None), (1, 10.0, 36.0, "a"), (1, 11.0, 16.5, None)
    again, lost = (1, 17.0, 43.0, "b"), (2, 10.5, 36.5, "c")
    use = _add_up([free, (2, 0.0, 0.0, None), taken, lost, released, again], end=20.0)
    assert use.idle_s == pytest.approx(0.5 + 0.5) and use.held_s == pytest.approx(2 * 10 - 1.0)
    assert (use.taken, use.turn_s) == (3, pytest.approx(6.5))
