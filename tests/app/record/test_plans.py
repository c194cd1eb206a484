"""How the statements of a batch are planned: what is stored together looks for its parents through an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.core.work import Work
from app.record import service
from app.record.plans import plan_anew, planned_once
from tests.app.patients import House
from tests.app.record import kit

MODES = text("SELECT current_setting('plan_cache_mode'), current_setting('enable_seqscan')")
READ = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'bill'")
LINES = 50


def modes(work: Work) -> Any:
    return tuple(work.session.execute(MODES).one())


def test_rows_are_stored_by_one_plan_and_all_else_is_planned_anew(house: House) -> None:
    with house.runtime.work() as work:
        plan_anew(work)
        assert modes(work) == ("force_custom_plan", "on")
        with planned_once(work):
            assert modes(work) == ("force_generic_plan", "off")
        assert modes(work) == ("force_custom_plan", "on")
    with house.runtime.work() as work:
        assert modes(work) == ("auto", "on")


def test_the_bill_of_each_line_is_not_looked_for_among_all(house: House) -> None:
    whole = kit.whole()
    house.apply([whole["visit"], whole["bill"]])
    with house.runtime.work() as work:
        work.session.execute(text("ANALYZE bill"))  # what it knows to be of one page PostgreSQL would rather read whole
    lines = [kit.line(kit.key("l"), whole["bill"]["key"], line_no=place + 1) for place in range(LINES)]
    batch = kit.open_batch(house.hospital_id(), lines)
    with house.runtime.work() as work:
        verdicts = service.apply(work, [batch])
        read = work.session.scalar(READ)
    assert [one.verdict for one in verdicts[0]] == ["applied"] * LINES
    assert read < LINES / 2
