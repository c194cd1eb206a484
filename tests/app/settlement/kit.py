"""Trials and settlements as the agent of the medical insurance answers them."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from tests.app.town import Insured, Town

SIDES = {"fund_fen": 6_000, "account_fen": 1_000, "self_pay_fen": 3_000}


def ask(town: Town, who: Insured, bill_id: UUID, **how: Any) -> dict[str, Any]:
    """A place in line."""
    answer = who.post("/trials", {"bill_id": str(bill_id)} | how)
    assert answer.status_code == 202, answer.get_json()
    return dict(answer.get_json())


def trial(town: Town, who: Insured, bill_id: UUID, sides: dict[str, int] | None = None) -> str:
    """A trial that the interface has answered; its id."""
    asked = ask(town, who, bill_id)
    town.drain_all("settlement.admit")
    answer_trials(town, sides or SIDES)
    found = who.get(f"/trials/{asked['id']}")
    assert found["status"] == "trialled", found
    return str(asked["id"])


def answer_trials(town: Town, sides: dict[str, int], took_ms: int = 50, **how: Any) -> list[dict[str, Any]]:
    """Answer every trial that is handed out now; what was asked."""
    now_ms = int(time.time() * 1000)
    stamps = {"received_ms": now_ms - took_ms, "answered_ms": now_ms}
    found = town.commands("M1", "trial")
    for one in found:
        town.agent("M1").answer(one["id"], sides | stamps, **how)
    town.drain_all("settlement.trial_answered")
    return found


def settling(town: Town, who: Insured, bill_id: UUID, sides: dict[str, int] | None = None) -> str:
    """A settlement whose self-pay part is paid, if there is any: now the insurance is asked. Its id."""
    found_id = trial(town, who, bill_id, sides)
    assert who.post("/settlements", {"trial_id": found_id}).status_code == 201
    town.drain_all("payment.prepay")
    payment_id = who.get(f"/settlements/{found_id}")["payment_id"]
    if payment_id is not None:
        pay(town, who, payment_id)
    return found_id


def pay(town: Town, who: Insured, payment_id: str) -> None:
    params = who.get(f"/payments/{payment_id}")["jsapi"]
    paid = town.wechat.app.test_client().post("/__mock__/phone/pay", json={"user": who.patient.user, "params": params})
    assert paid.status_code == 200, paid.get_json()
    town.until(lambda: who.get(f"/payments/{payment_id}")["status"] == "paid")
    town.drain_all("settlement.self_paid")


def answer(town: Town, kind: str, body: dict[str, Any] | None = None, *, at: str = "M1", **how: Any) -> dict[str, Any]:
    """Answer the one open command of this kind; what was asked."""
    found = [one for one in town.commands(at, "settlement") if one["kind"] == kind]
    assert len(found) == 1, found
    town.agent(at).answer(found[0]["id"], body, **how)
    town.drain_all()
    return dict(found[0]["body"])
