"""What may go wrong around the comparison: Redis away, a worker killed, a file in another encoding."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.exchange.service import NewParty, put_party
from app.reconciliation import calls
from tests.app.kit import value
from tests.app.reconciliation.conftest import SECRETS
from tests.app.reconciliation.kit import COMPARISON, Night, number

NOWHERE = "redis://127.0.0.1:1/0"


def _collected(night: Night) -> UUID:
    night.book(range(1, 4))
    night.drop_insurer("I1", number(1))
    run_id = night.start()
    night.serve()
    night.drain_all("reconciliation.fetch", "reconciliation.take_batch", "reconciliation.answered")
    return run_id


def test_without_redis_the_comparison_waits_and_loses_nothing(night: Night) -> None:
    run_id = _collected(night)
    there = night.runtime.settings.redis_url
    night.runtime.settings.redis_url = NOWHERE
    night.drain_all(*COMPARISON)
    assert night.seen(run_id)["status"] == "comparing"
    night.runtime.settings.redis_url = there
    night.drain_all(*COMPARISON, hurry=True)
    seen = night.seen(run_id)
    assert (seen["status"], seen["sets"]["110"], seen["attempt"]) == ("differences", 1, 1)


def test_a_comparison_whose_worker_was_killed_is_done_again_once(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker has compared and dies before it could commit; another one takes the task."""
    run_id = _collected(night)
    store = calls.service.store
    deaths = iter([True, False])

    def die_first(*arguments: object) -> None:
        store(*arguments)  # type: ignore[arg-type]
        if next(deaths):
            raise RuntimeError("killed")

    monkeypatch.setattr(calls.service, "store", die_first)
    night.drain_all(*COMPARISON)
    assert value(night.runtime, "SELECT count(*) FROM reconciliation_difference") == 0
    night.drain_all(*COMPARISON, hurry=True)
    assert night.seen(run_id)["status"] == "differences"
    assert value(night.runtime, "SELECT count(*) FROM reconciliation_difference") == 1
    assert value(night.runtime, "SELECT count(*) FROM reconciliation_statement WHERE overall") == 1


def test_a_file_is_read_in_the_encoding_that_its_insurer_declared(night: Night) -> None:
    config = {"url": night.insurers["I1"].url, "ledger_encoding": "gb18030"}
    with night.runtime.work() as work:
        put_party(work, NewParty("insurer", "I1", "I1", config, SECRETS["I1"]))
    night.book(range(1, 4))
    night.alter_insurer("I1", number(2), status="·")
    assert night.run()["sets"]["111"] == 3
    # The double writes UTF-8, so that the word arrives as these bytes mean in GB 18030.
    assert night.differences()["status", number(2)].insurer_status == "·".encode().decode("gb18030")
