"""What WeChat Pay tells: before the answer, twice, late, forged, of another amount or merchant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.core.work import Work
from app.payment import service as payment
from app.payout import service
from app.payout.states import MOVING, State, payouts
from tests.app.payout.kit import WECHAT, WECHAT_PATH, created, ledger, out_no, quarantine_over, send, status
from tests.app.town import Insured, Town


def mchid(town: Town, owner: str = "I1") -> str:
    return str(next(m["mchid"] for m in town.clinic.world["wechat"]["merchants"] if m["owner"] == owner))


def notify(town: Town, payout_id: str, *, number: str = "n1", owner: str = "I1", **said: Any) -> None:
    """A notification that has passed the door (tests/app/payment proves the door)."""
    resource = {"mch_id": mchid(town, owner), "out_bill_no": out_no(town, payout_id), "state": "SUCCESS",
                "transfer_amount": 10_000} | said  # fmt: skip
    message = {"id": f"{payout_id}-{number}", "event_type": "MCHTRANSFER.BILL.FINISHED", "resource": resource}
    with town.runtime.work() as work:
        payment.take_notification(work, mchid(town, owner), message)
    town.drain_all("payment.apply_notification", "payout.notified")


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured("钱多多")


def test_told_before_the_answer_and_twice_it_succeeds_once(town: Town, who: Insured) -> None:
    claim_id, payout_id = created(town, who, payee=WECHAT)
    town.wechat.fail(WECHAT_PATH, drop="after")
    send(town)
    for number in ("n1", "n1", "n2"):
        notify(town, payout_id, number=number)
    assert (status(town, payout_id), town.status(claim_id)) == ("succeeded", "paid")
    quarantine_over(town, payout_id)
    notify(town, payout_id, number="n3", state="FAIL", fail_reason="ACCOUNT_FROZEN")
    assert (status(town, payout_id), len(ledger(town, payout_id))) == ("succeeded", 4)
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 10_000


@pytest.mark.parametrize(
    "wrong",
    [{"transfer_amount": 9_999}, {"transfer_amount": None}, {"state": "WHATEVER"}, {"owner": "I2"}],
)
def test_what_does_not_fit_changes_nothing(town: Town, who: Insured, wrong: dict[str, Any]) -> None:
    _, payout_id = created(town, who, payee=WECHAT)
    send(town)
    notify(town, payout_id, **wrong)
    assert status(town, payout_id) == "waiting_user_confirm"
    found = "SELECT count(*) FROM audit_entry WHERE action = 'payout.notification_differs' AND subject_id = :id"
    assert town.value(found, id=payout_id) == 1
    notify(town, payout_id, number="right")
    assert status(town, payout_id) == "succeeded"


def test_a_forged_notification_is_refused_at_the_door(town: Town, who: Insured) -> None:
    _, payout_id = created(town, who, payee=WECHAT)
    send(town)
    forged = town.clinic.client.post(
        f"/wechat/pay/{mchid(town)}",
        data=b'{"id":"x"}',
        headers={"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc", "Wechatpay-Timestamp": "1", "Wechatpay-Nonce": "n"},
    )
    assert forged.status_code == 401
    assert status(town, payout_id) == "waiting_user_confirm"


def set_status(work: Work, payout_id: str, state: str) -> None:
    work.session.execute(text("UPDATE payout SET status = :s WHERE id = :id"), {"s": state, "id": payout_id})


def test_every_word_of_the_provider_moves_forwards_only(town: Town, who: Insured) -> None:
    """In every state every event: what the table does not have leaves the row as it is."""
    _, payout_id = created(town, who, payee=WECHAT)
    order = [state.value for state in MOVING]
    for state in State:
        for event in sorted(payouts.events):
            with town.runtime.work() as work:
                set_status(work, payout_id, state.value)
                moved = payouts.move(work, [UUID(payout_id)], event, lenient=True)
                expected = payouts.table.get((state, event))
                assert [one.new for one in moved] == ([expected] if expected else []), (state, event)
                if expected in order and state in order and event != "send_again":
                    assert order.index(str(expected)) > order.index(state)


def test_late_words_after_the_end_change_nothing(town: Town, who: Insured) -> None:
    claim_id, payout_id = created(town, who, payee=WECHAT)
    send(town)
    with town.runtime.work() as work:
        service.said(work, UUID(payout_id), "fail", {"failed_code": "ACCOUNT_FROZEN"})
    for event in ("accept", "wait_for_user", "transfer", "cancel"):
        with town.runtime.work() as work:
            service.said(work, UUID(payout_id), event, {})
    assert (status(town, payout_id), town.status(claim_id)) == ("failed", "accepted")
