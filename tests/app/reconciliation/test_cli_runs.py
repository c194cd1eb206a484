"""`flask reconcile run|status|show` as an operator on the machine uses them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from app.core.db import Database
from mock_partners.faults import Fault
from tests.app.kit import run, value
from tests.app.reconciliation.kit import DAY, UP_TO_THE_REPORT, Night, number


@pytest.fixture
def at_work(night: Night) -> Any:
    """Agents and workers beside the command."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.wait(0.05):
            night.serve()
            night.drain_all(*UP_TO_THE_REPORT)

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_a_run_waits_for_its_end_and_shows_it(night: Night, flask: Any, at_work: None) -> None:
    night.book(range(1, 4))
    night.drop_insurer("I1", number(2))
    done = flask("run", "--date", str(DAY), "--wait-s", "60")
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["status"], shown["sets"]["110"]) == ("differences", 1)
    assert json.loads(flask("show", "--date", str(DAY)).stdout)["id"] == shown["id"]
    assert flask("status").stdout == f"{DAY} #1 all differences {shown['id']}\n"


def test_a_blocked_run_says_so_with_its_exit_status(night: Night, flask: Any, at_work: None) -> None:
    night.insurers["I1"].book.settings.ledger_fault = "count"
    done = flask("run", "--date", str(DAY), "--wait-s", "60")
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (65, "blocked")


def test_a_dry_run_shows_the_change_and_writes_nothing(night: Night, flask: Any) -> None:
    night.book(range(1, 5))
    night.drop_insurer("I1", number(1))
    night.drop_insurer("I1", number(2))
    night.run()
    night.insurer_row("I1", number(1), 100)
    night.alter_insurer("I1", number(3), amount_fen=1)
    before = _counts(night)
    shown = json.loads(flask("run", "--date", str(DAY), "--dry-run").stdout)
    assert shown["figures"]["sets"]["111"] == 3
    assert shown["new"] == [{"kind": "amount", "key": number(3), "cause": "amount_insurer"}]
    assert [one["key"] for one in shown["still"]] == [number(2)]
    assert [one["key"] for one in shown["healed"]] == [number(1)]
    assert _counts(night) == before


def test_a_dry_run_of_one_hospital_wants_a_run_of_it(night: Night, flask: Any) -> None:
    assert "还没有进行过对账" in flask("run", "--date", str(DAY), "--hospital", "H1", "--dry-run").output
    night.run()
    assert "请去掉医院再试" in flask("run", "--date", str(DAY), "--hospital", "H1", "--dry-run").output


def test_show_means_the_night_and_not_the_funds_unless_told(night: Night, flask: Any) -> None:
    first = night.run()
    run(night.runtime, "UPDATE reconciliation_run SET kind = 'funds' WHERE id <> :id", id=first["id"])
    assert json.loads(flask("show").stdout)["id"] == first["id"]
    told = flask("show", "--kind", "funds")
    assert (told.exit_code, "reconcile status" in told.stderr) == (1, True)


@pytest.mark.parametrize(("arguments", "name"), [(("status",), "DATABASE_URL"), (("run", "--dry-run"), "REDIS_URL")])
def test_a_server_that_does_not_answer_is_told_in_a_line(
    night: Night, flask: Any, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], name: str
) -> None:
    night.run()
    fields = {"DATABASE_URL": "database", "REDIS_URL": "settings"}
    away = {
        "DATABASE_URL": Database("postgresql+psycopg://nobody@127.0.0.1:1/x", night.runtime.privacy),
        "REDIS_URL": night.runtime.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}),
    }
    monkeypatch.setattr(night.runtime, fields[name], away[name])
    told = flask(*arguments, *(("--date", str(DAY)) if "run" in arguments else ()))
    assert (told.exit_code, name in told.stderr, "Traceback" in told.output) == (1, True, False)


def test_a_dry_run_with_an_insurer_that_does_not_answer_leaves_its_part_out(night: Night, flask: Any) -> None:
    night.book(range(1, 3))
    night.book(range(3, 5), "H2", "I2")
    night.run()
    night.insurers["I1"].book.settings.ledger_not_ready = [DAY.isoformat()]
    shown = json.loads(flask("run", "--date", str(DAY), "--dry-run").stdout)
    assert shown["blocked"] == {"hospital": [], "insurer": ["I1"]}
    assert (shown["figures"]["sets"]["111"], shown["new"]) == (2, [])


def test_a_dry_run_fetches_no_rows_where_totals_are_equal(night: Night, flask: Any) -> None:
    night.book(range(1, 3))
    night.run()
    night.offer_totals("I1")
    night.insurers["I1"].faults.append(Fault(path="/v1/ledger$", status=503, times=-1))
    shown = json.loads(flask("run", "--date", str(DAY), "--dry-run").stdout)
    assert (shown["blocked"]["insurer"], shown["figures"]["sets"]["111"]) == ([], 2)
    night.drop_insurer("I1", number(1))
    shown = json.loads(flask("run", "--date", str(DAY), "--dry-run").stdout)
    assert shown["blocked"]["insurer"] == ["I1"]


def test_what_cannot_be_run_is_told(night: Night, flask: Any) -> None:
    assert "不能晚于今天" in flask("run", "--date", "2027-01-01").output
    assert "还没有进行过对账" in flask("run", "--date", str(DAY), "--dry-run").output
    assert flask("show", "--date", str(DAY)).exit_code == 1


def _counts(night: Night) -> list[Any]:
    return [
        value(night.runtime, f"SELECT count(*) FROM {table}")  # noqa: S608 - names of our own
        for table in ("reconciliation_run", "reconciliation_difference", "audit_entry", "command", "task", "notice")
    ]
