"""Operators approve what the risk rules hold, payees confirm their transfers in WeChat, banks move the rest."""

from __future__ import annotations

from typing import Any

from demo.day.context import Day, Wish
from demo.day.http import DayBroken, until

PAYOUT_PATIENCE_S = 120.0
DEAD = ("failed", "cancelled", "returned")


def pay_everything(day: Day) -> None:
    """In rounds: of a claim whose line was appealed, the undisputed part is one payout and the difference the next."""
    waiting = [wish for wish in day.wishes if wish.claim["status"] in ("accepted", "paying", "paid")]
    while waiting:
        found = day.for_each(lambda wish: (wish, _next_payout(wish)), waiting)
        payouts = [(wish, payout) for wish, payout in found if payout is not None]
        _approve_all(day, {payout["id"] for _, payout in payouts if payout["status"] == "held"})
        day.for_each(lambda pair: _receive(day, *pair), payouts)
        waiting = [wish for wish, _ in payouts if "unconfirmed_transfer" not in wish.patient.cases]


def _next_payout(wish: Wish) -> dict[str, Any] | None:
    """The payout of the claim that is under way; None once the whole claim is paid."""
    claim_id = wish.claim["id"]

    def there() -> tuple[dict[str, Any] | None] | None:
        items: list[dict[str, Any]] = wish.patient.api.get("/api/v1/payouts", claim_id=claim_id)["items"]
        going = [payout for payout in items if payout["status"] not in ("created", "succeeded", *DEAD)]
        if going:
            return (going[0],)
        paid = wish.patient.api.get(f"/api/v1/claims/{claim_id}")["status"] == "paid"
        return (None,) if paid else None

    return until("payout", there)[0]


def _approve_all(day: Day, held: set[str]) -> None:
    """Two people of the insurer that pays, each with a login of their own."""
    for insurer in day.stack.world["insurers"]:
        logins = [one["login"] for one in day.stack.world["operators"] if one["party"] == insurer["code"]]
        first, second = (day.operator(login) for login in logins[:2])
        mine = first.get("/api/v1/operator/me")["party_id"]
        waiting = first.get("/api/v1/operator/payouts", status="held", limit=100)["items"]
        for payout in waiting:
            if payout["insurer_id"] == mine and payout["id"] in held:
                for operator in (first, second):
                    operator.post(f"/api/v1/operator/payouts/{payout['id']}/approve")


def _receive(day: Day, wish: Wish, payout: dict[str, Any]) -> None:
    patient = wish.patient
    path = f"/api/v1/payouts/{payout['id']}"
    if payout["channel"] == "wechat":
        waiting = _until(patient.api, path, "waiting_user_confirm")
        if "unconfirmed_transfer" in patient.cases:
            return
        confirm = {"user": patient.user, "package_info": waiting["confirm"]["package"]}
        day.wechat.post("/__mock__/phone/confirm_transfer", confirm)
    _until(patient.api, path, "succeeded")


def _until(api: Any, path: str, state: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        found: dict[str, Any] = api.get(path)
        if found["status"] in DEAD:
            raise DayBroken(f"payout {found['status']}")
        return found if found["status"] == state else None

    return until(f"payout {state}", reached, timeout_s=PAYOUT_PATIENCE_S)
