"""A dry run of funds shows what a run would find and change, and writes nothing."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.reconciliation.cli import reconcile
from mock_partners.faults import Fault
from tests.app.payout import kit as payout
from tests.app.reconciliation.funds.test_funds import differences, run, today, town_with_bills
from tests.app.town import Town

__all__ = ["today", "town_with_bills"]  # fixtures
TABLES = ("reconciliation_run", "reconciliation_party_ledger", "reconciliation_difference", "audit_entry", "task")


@pytest.fixture
def by_bank(town: Town) -> str:
    """Our number of a payout that the bank has made today."""
    _, payout_id = payout.created(town, town.insured(), 30_000)
    payout.send(town)
    town.until(lambda: payout.status(town, payout_id) == "succeeded")
    return payout.out_no(town, payout_id)


def test_it_shows_what_a_run_then_finds_and_writes_nothing(town: Town, today: date, by_bank: str) -> None:
    town.rows("UPDATE payout SET amount_fen = 29999 WHERE out_no = :no", no=by_bank)
    name = {"kind": "funds_amount", "key": f"payout:{by_bank}", "cause": "bill_amount"}
    before = _counts(town)
    shown = _look(town, today)
    assert name in shown["new"]
    assert _counts(town) == before
    done = run(town, today)
    assert (shown["counts"], shown["blocked"]) == (done.counts, [])
    assert {(one["kind"], one["key"]) for one in shown["new"]} <= _found(town, today)
    assert name in _look(town, today)["still"]
    town.rows("UPDATE payout SET amount_fen = 30000 WHERE out_no = :no", no=by_bank)
    assert name in _look(town, today)["healed"]
    assert differences(town, today)[f"payout:{by_bank}"][2] == "open"


def test_a_bill_that_is_not_to_be_had_is_named_and_what_stands_on_it_left_alone(
    town: Town, today: date, by_bank: str
) -> None:
    town.rows("UPDATE payout SET amount_fen = 29999 WHERE out_no = :no", no=by_bank)
    run(town, today)
    town.bank.faults.append(Fault(path="/v1/statements", status=503))
    shown = _look(town, today)
    assert shown["blocked"] == [{"bill": "bank", "party": "B1", "code": "not_reached"}]
    assert f"payout:{by_bank}" not in {one["key"] for name in ("new", "still", "healed") for one in shown[name]}
    town.bank.faults.append(Fault(path="/v1/statements", status=200, body="no bill"))
    assert [one["code"] for one in _look(town, today)["blocked"]] == ["no_trailer"]


def test_a_day_to_come_has_no_bills(town: Town, today: date) -> None:
    assert "不能晚于今天" in _invoke(town, today + timedelta(days=9)).output


def _look(town: Town, day: date) -> dict[str, Any]:
    done = _invoke(town, day)
    assert done.exit_code == 0, done.output
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def _invoke(town: Town, day: date) -> Any:
    app = town.clinic.client.application
    return app.test_cli_runner().invoke(reconcile, ["funds", "--date", str(day), "--dry-run"])


def _found(town: Town, day: date) -> set[tuple[str, str]]:
    return {(kind, key) for key, (kind, _, _) in differences(town, day).items()}


def _counts(town: Town) -> list[Any]:
    with town.runtime.read() as session:
        return [session.execute(text(f"SELECT count(*) FROM {table}")).scalar() for table in TABLES]  # noqa: S608
