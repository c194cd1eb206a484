"""`script/chaos` in its shortest form, both runs in one world. The long ones are started by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import stack
from chaos import flow, kills, redis
from chaos.flow import Flow
from chaos.kills import Wanted


def test_nothing_is_lost_doubled_or_reordered_while_the_baseline_loses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "ABSENT_S", 0.5)
    monkeypatch.setattr(redis, "UNHEARD_S", 0.5)
    monkeypatch.setattr(kills, "SIGHT_S", 120.0)  # on a busy machine what was killed is long in coming back
    monkeypatch.setattr(
        flow, "UNDER_WAY", 50
    )  # in waves: all at once would be answered at once, and nobody killed in it
    with stack.started(tmp_path, whole=True) as running:
        people = Flow(running)
        victims = (*stack.WORKERS, stack.AGENT)
        wanted = Wanted(kills=2, registrations=120, seed=1, victims=victims, naive_kills=1)
        killed = kills.play(running, wanted, people)
        cut_off = redis.play(running, 30, people)
    for result, accepted in ((killed, 120), (cut_off, 120 + 30 + len(redis.FAULTS))):
        assert (result["lost"], result["doubled"], result["out_of_order"]) == (0, 0, 0), result
        assert result["accepted"] == accepted
    assert killed["struck"] == {stack.WORKERS[0]: 1, stack.AGENT: 1}
    assert killed["baseline"]["lost"] > 0, "the baseline must lose"  # type: ignore[index]
