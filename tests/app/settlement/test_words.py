"""What patients and operators read of a settlement that takes long or comes to nothing: true for each cause."""

from __future__ import annotations

import pytest

from app.core.paging import PageQuery
from app.notification.rules import THING_LENGTH
from app.payment import service as payment
from app.settlement import queries, rules
from tests.app.settlement.kit import SIDES, answer, answer_trials, ask, pay, settling, trial
from tests.app.town import Insured, Town

SETTLED = SIDES | {"setl_id": "S1"}
FREE = {"fund_fen": 9_000, "account_fen": 1_000, "self_pay_fen": 0}


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def told(who: Insured, template: str) -> list[str]:
    """The text of every notice of this kind."""
    return [one["text"] for one in who.get("/notices")["items"] if one["template"] == template]


def test_no_notice_is_cut_off() -> None:
    texts = [*rules.UNPAID.values(), rules.THEN_REFUND, rules.THEN_AGAIN]
    assert all(0 < len(text) <= THING_LENGTH for text in texts)


def test_what_has_no_words_of_its_own_says_what_did_not_come_about() -> None:
    assert rules.why("WHATEVER", tried=False) == rules.REFUSED
    assert rules.why("WHATEVER", tried=True) == rules.NOT_SETTLED
    assert (
        rules.why("bill_changed", tried=False)
        == rules.why("bill_changed", tried=True)
        == rules.REFUSALS["bill_changed"]
    )


def test_a_refused_trial_names_its_reason(town: Town, who: Insured) -> None:
    asked = ask(town, who, town.bill(who, settled=False))
    town.drain_all("settlement.admit")
    answer_trials(town, {}, outcome="refused", code="PERSON")
    found = who.get(f"/trials/{asked['id']}")
    assert found["refused_code"] == "PERSON" and "参保信息" in found["refused"]


@pytest.mark.parametrize("sides", [SIDES, FREE])
def test_who_paid_and_is_bound_no_more_hears_of_the_payment_alone(
    town: Town, who: Insured, sides: dict[str, int]
) -> None:
    other = town.insured()
    settling(town, other, town.bill(other, settled=False), sides)
    answer(town, "settle", SETTLED | sides)
    assert (len(told(other, "settled")), told(other, "payment_used")) == (1, [])
    settlement_id = trial(town, who, town.bill(who, settled=False), sides)
    made = who.post("/settlements", {"trial_id": settlement_id}).get_json()
    town.drain_all("payment.prepay")
    [bound] = who.get("/bindings")["bindings"]
    assert who.post(f"/bindings/{bound['id']}/revoke").status_code == 200
    if sides is SIDES:
        pay(town, who, made["payment_id"])
    answer(town, "settle", SETTLED | sides)
    assert told(who, "payment_used") == (["自付部分支付成功，无须再操作"] if sides is SIDES else [])
    assert told(who, "settled") == []
    assert who.get(f"/settlements/{settlement_id}")["code"] == "not_found", "no business of theirs any more"


@pytest.mark.parametrize(("sides", "then"), [(SIDES, rules.THEN_REFUND), (FREE, rules.THEN_AGAIN)])
def test_a_refund_is_promised_only_where_something_was_paid(
    town: Town, who: Insured, sides: dict[str, int], then: str
) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False), sides)
    answer(town, "settle", outcome="refused", code="AMOUNT")
    answer(town, "query_settlement", {"found": False, "final": True})
    assert told(who, "settlement_failed") == [then]
    assert who.get(f"/settlements/{settlement_id}")["refused"] == rules.REFUSALS["AMOUNT"]


@pytest.mark.parametrize("code", rules.UNPAID)
def test_who_could_not_pay_is_told_why(town: Town, who: Insured, code: str) -> None:
    found_id = trial(town, who, town.bill(who, settled=False))
    if code == "order_refused":
        town.wechat.fail(r"/v3/pay/transactions/jsapi$", status=400, body={"code": "PARAM_ERROR", "message": "-"})
    who.post("/settlements", {"trial_id": found_id})
    town.drain_all("payment.prepay")
    if code == "pay_disputed":
        paid_back = {"amount": {"total": 3_000}, "trade_state": "REFUND"}
        with town.runtime.work() as work:
            payment.paid(work, town.value("SELECT id FROM payment_order"), paid_back)
    town.rows("UPDATE payment_order SET expires_at = now() - interval '1 minute'")
    town.drain_all("payment.look", hurry=True)
    town.drain_all()
    found = who.get(f"/settlements/{found_id}")
    assert (found["status"], found["refused"]) == ("failed", rules.REFUSALS[code])
    assert told(who, "settlement_unpaid") == [rules.UNPAID[code]]
    assert not town.commands("M1", "settlement")


def test_a_refund_that_does_not_arrive_is_told(town: Town, who: Insured) -> None:
    found_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="refused", code="AMOUNT")
    town.wechat.fail(
        r"/v3/refund/domestic/refunds$", status=403, body={"code": "USER_ACCOUNT_ABNORMAL", "message": "-"}
    )
    answer(town, "query_settlement", {"found": False, "final": True})
    town.until(lambda: told(who, "refund_failed"))
    assert not told(who, "refunded")
    found = who.get(f"/settlements/{found_id}")
    assert (found["refund"], found["refunded_fen"]) == ("failed", 0)


def unfinished(town: Town, at: str | None = None) -> list[tuple[str, str]]:
    """(status, insurance part) of what an operator of this hospital, or of the platform, sees after a while."""
    town.rows("UPDATE settlement SET paid_at = paid_at - interval '3 minutes',"
              " status_since = status_since - interval '3 minutes'")  # fmt: skip
    party_id = town.value("SELECT id FROM party WHERE code = :code", code=at) if at else None
    with town.runtime.read() as session:
        before = town.runtime.clock.now() - rules.DELAYED_AFTER
        rows, _ = queries.unfinished(session, party_id, before, PageQuery())
        return [(row.status, row.insurance_part) for row in rows]


def test_operators_see_what_waits_for_the_interface_or_the_hospital(town: Town, who: Insured) -> None:
    found_id = trial(town, who, town.bill(who, settled=False))
    assert who.post("/settlements", {"trial_id": found_id}).status_code == 201
    assert not unfinished(town), "it waits for the patient"
    town.drain_all("payment.prepay")
    pay(town, who, who.get(f"/settlements/{found_id}")["payment_id"])
    assert unfinished(town) == unfinished(town, "H1") == [("settling", "pending")] and not unfinished(town, "H2")
    answer(town, "settle", SETTLED)
    assert unfinished(town) == [("settled", "done")]
    answer(town, "settlement_notice", outcome="refused", code="already_settled", at="H1")
    answer(town, "reverse")
    assert unfinished(town) == [("reversed", "reversed")], "the hospital has not heard of it"
    answer(town, "settlement_reversed", at="H1")
    assert not unfinished(town)
