"""A dry run shows rows without sending, and is as gentle to the source as the bulk lane."""

from __future__ import annotations

import io
import json

import pytest

from hospital_agent import dry_run
from hospital_agent.source.engine import SourceLink
from hospital_agent.source.idle import IdleTime, NotNow
from hospital_agent.store.spool import Spool
from tests.hospital_agent.small_his import Switch, run


def show(source: SourceLink, spool: Spool, probe: Switch, night: Switch) -> tuple[int, int]:
    out = io.StringIO()
    counts = dry_run.show(IdleTime(source, probe, night, ask_every_s=1), spool, 1_000, out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert counts == (sum("data" in row for row in rows), sum("bad" in row for row in rows))
    return counts


def test_by_night_everything_and_by_day_the_first_of_each_kind(small: SourceLink, spool: Spool) -> None:
    run(small, "INSERT INTO mx SELECT 'B1', n, '药', 1, 1, 1.005 FROM generate_series(2, 300) n")
    assert show(small, spool, Switch(), Switch()) == (15, 299)
    assert show(small, spool, Switch(), Switch(idle=False)) == (11, 199)


def test_a_busy_source_is_not_read(small: SourceLink, spool: Spool) -> None:
    with pytest.raises(NotNow, match="source_busy"):
        show(small, spool, Switch(idle=False), Switch())
