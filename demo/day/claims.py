"""Claims as the plan of cases wants them: submitted, supplied with documents, appealed, withdrawn, accepted."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from demo.day.context import WAITING_AT_ONCE, Day, Patient, Wish
from demo.day.http import DayBroken, Refused, until
from demo.day.visits import bills_of
from demo.numbers import with_luhn

CLAIM_PATIENCE_S = 120.0
IMAGE_FROM_FEN = 1_000_000
MAX_BILLS = 3
# A picture of one pixel (PNG) stands for every photograph.
PIXEL = b64encode(bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)).decode()  # fmt: skip
LONG_WAYS = frozenset({"documents_asked", "line_appeal", "two_policies", "withdrawal"})
ENDED = ("rejected", "ineligible", "withdrawn", "paid", "closed")


def claim_everything(day: Day) -> None:
    """Submit all and bring each to its end or to acceptance, those with the longest way first."""
    wishes = [wish for patient in day.patients for wish in _wishes(day, patient)]
    day.wishes = sorted(wishes, key=lambda wish: LONG_WAYS.isdisjoint(wish.patient.cases))
    day.for_each(lambda patient: _try_reversed(day, patient), [p for p in day.patients if p.facts["reversed_bill_key"]])
    day.for_each(_submit, day.wishes, at_once=WAITING_AT_ONCE)
    day.for_each(_follow, day.wishes, at_once=WAITING_AT_ONCE)


def _wishes(day: Day, patient: Patient) -> list[Wish]:
    if "not_insured" in patient.cases:
        insurer = day.stack.world["insurers"][0]["code"]
        return [Wish(patient, insurer, None, [])]
    return [Wish(patient, c["insurer"], c["policy_no"], c["bill_keys"]) for c in patient.facts["claims"]]


def _try_reversed(day: Day, patient: Patient) -> None:
    """The hospital takes an e-bill back (红冲); nobody can claim with it any more."""
    key = patient.facts["reversed_bill_key"]
    day.double(patient.hospital).post("/__mock__/reverse_e_bill", {"bill_key": key})
    until("reversed e-bill", lambda: bills_of(patient)[key]["e_bill_state"] == "reversed")
    claim = patient.facts["claims"][0]
    wish = Wish(patient, claim["insurer"], claim["policy_no"], [key])
    try:
        _submit(wish)
    except Refused as refused:
        if refused.code != "e_bill_reversed":
            raise
        return
    raise DayBroken("a reversed e-bill was taken for a claim")


def _submit(wish: Wish) -> None:
    patient = wish.patient
    bills = bills_of(patient)
    keys = wish.bill_keys or _claimable_keys(patient, bills)
    chosen = [bills[key] for key in keys]
    body = {
        "person_id": patient.person_id,
        "insurer": wish.insurer,
        "bill_ids": [bill["id"] for bill in chosen],
        "payee": _payee(patient),
        "consent": True,
        "health_consent": True,
    }
    if wish.policy_no:
        body["policy_no"] = wish.policy_no
    if sum(bill["borne_fen"] for bill in chosen) >= IMAGE_FROM_FEN:
        body["documents"] = [_document("identity_image", "身份证")]
    wish.claim = patient.api.post("/api/v1/claims", body)


def _claimable_keys(patient: Patient, bills: dict[str, dict[str, Any]]) -> list[str]:
    """Today's visit, or an earlier one where today's could not be settled."""
    today = patient.visit["bill_key"]
    for key in (today, *sorted(set(bills) - {today})):
        bill = bills[key]
        if bill["state"] == "settled" and not bill["refused"] and bill["borne_fen"] > 0:
            return [key]
    raise DayBroken("no bill can be claimed")


def _payee(patient: Patient) -> dict[str, Any]:
    payee: dict[str, Any] = {"kind": patient.facts["payee"] or "wechat"}
    payee["relation"] = "guardian" if patient.facts["guardian"] else "self"
    if payee["kind"] == "bank":
        payee["bank_account"] = bank_card(patient)
    return payee


def bank_card(patient: Patient) -> str:
    """A card of the patient's own with a right check digit."""
    ordinal = int.from_bytes(patient.user.encode()[-6:], "big") % 10**9
    return with_luhn(f"622848{ordinal:09d}")


def _follow(wish: Wish) -> None:
    """Through the insurer's questions and decisions to where the patient has nothing more to do."""
    cases = wish.patient.cases
    state = _until_state(wish, "approved", "needs_documents")
    if state == "needs_documents":
        if "withdrawal" in cases:
            _act(wish, "withdraw")
            return
        _send_documents(wish)
        state = _until_state(wish, "approved")
    if state in ("approved", "rejected") and "line_appeal" in cases:  # rejected where the doubted line was the only one
        _appeal(wish)
        state = _until_state(wish, "approved")
    if state == "approved":
        _act(wish, "accept", {"decision_no": wish.claim["decision_no"]})


def _until_state(wish: Wish, *wanted: str) -> str:
    def reached() -> str | None:
        wish.claim = wish.patient.api.get(f"/api/v1/claims/{_id(wish)}")
        status = str(wish.claim["status"])
        return status if status in wanted or status in ENDED else None

    return until(f"claim {' or '.join(wanted)}", reached, timeout_s=CLAIM_PATIENCE_S)


def _send_documents(wish: Wish) -> None:
    asked = [
        item for request in wish.claim["document_requests"] if not request["answered"] for item in request["items"]
    ]
    documents = [_document(item["kind"], item["text"][:60]) for item in asked]
    wish.claim = wish.patient.api.post(f"/api/v1/claims/{_id(wish)}/documents", {"documents": documents})


def _appeal(wish: Wish) -> None:
    """Against the one line that the insurer doubted."""
    doubted = [
        {"clearing_no": line["clearing_no"], "line_no": line["line_no"]}
        for line in wish.claim["lines"]
        if any(reason["code"] == "medical_necessity" for reason in line["reasons"])
    ]
    if not doubted:
        raise DayBroken("no line was doubted")
    body = {"lines": doubted[:1], "reason": "医生根据病情开具，附病历"}
    wish.claim = wish.patient.api.post(f"/api/v1/claims/{_id(wish)}/appeal", body)


def _act(wish: Wish, action: str, body: dict[str, Any] | None = None) -> None:
    wish.claim = wish.patient.api.post(f"/api/v1/claims/{_id(wish)}/{action}", body)


def _id(wish: Wish) -> str:
    return str(wish.claim["id"])


def _document(kind: str, title: str) -> dict[str, str]:
    return {"kind": kind, "title": title, "media_type": "image/png", "content_base64": PIXEL}
