"""Submitting a claim: everything that can be refused is refused here, and everything that follows is written down."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.claim import consents, documents, e_bills, rules
from app.claim.contracts import people as c
from app.claim.models.claims import Claim, ClaimBill
from app.claim.queries import lookup
from app.claim.states import HOLDER, State, claims
from app.claim.steps import advance, lock_bills, tell
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import claim_number, clearing_number
from app.core.sequence import next_no
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.record import queries as record
from app.record.queries import BillFacts


def submit(work: Work, account_id: UUID, wanted: c.SubmitClaim) -> Claim:
    """A new claim with its clearing numbers, consents and documents.

    Invalid `not_offered`, `consent_needed`, `payee_*`, `identity_image_needed`; Conflict with the reason of the first
    bill that cannot be claimed (app.claim.rules.TEXTS); NotFound for what is not the caller's.
    """
    _require_offer(wanted)
    insurer_id = _insurer(work, wanted.insurer)
    bills = _own_bills(work, account_id, wanted)
    lock_bills(work, [bill.id for bill in bills])
    for bill in bills:
        _require_claimable(work, bill, insurer_id, wanted.policy_no)
    asked_fen = sum(e_bills.left_fen(work, bill.id, bill.borne_fen) for bill in bills)
    payee_id = _require_payee(work, account_id, insurer_id, wanted, asked_fen)
    row = _new_claim(work, account_id, insurer_id, wanted, bills[0].hospital_id, asked_fen)
    _write_payee(work, row, wanted.payee, payee_id)
    claims.start(work, row, State.SUBMITTED)
    work.session.flush()
    _add_bills(work, row, bills)
    documents.keep(work, row, wanted.documents)
    if any(document.kind == "identity_image" for document in wanted.documents):
        identity.note_identity_image(work, wanted.person_id)
    advance(work, row, "assemble")
    work.later("claim.assemble", row.id)
    work.emit("claim.submitted", row.id)
    tell(work, row, "claim_submitted", {"no": row.no}, "")
    return row


def _require_offer(wanted: c.SubmitClaim) -> None:
    if wanted.way != "quick":
        raise Invalid("not_offered", "目前只提供快赔（先付后赔），部分直赔和全部直赔尚未开通")
    consents.require_given(wanted)
    if len(set(wanted.bill_ids)) != len(wanted.bill_ids):
        raise Invalid("invalid", "同一张结算单只能选一次", fields={"bill_ids": "重复"})


def _insurer(work: Work, code: str) -> UUID:
    party = exchange.party_by_code(work.session, code)
    if party.kind != "insurer":
        raise NotFound
    exchange.require_called(work.session, party.id)
    return party.id


def _own_bills(work: Work, account_id: UUID, wanted: c.SubmitClaim) -> list[BillFacts]:
    identity.require_person(work.session, account_id, wanted.person_id)
    numbers = set(identity.patient_numbers(work.session, wanted.person_id))
    bills = record.bills(work.session, wanted.bill_ids)
    if len(bills) != len(wanted.bill_ids) or any((b.hospital_id, b.patient_no) not in numbers for b in bills):
        raise NotFound("bill_not_found", "没有找到这张结算单")
    if len({bill.hospital_id for bill in bills}) > 1:
        raise Invalid("one_hospital", "一次理赔只能选同一家医院的结算单，请分开申请")
    return bills


def _require_claimable(work: Work, bill: BillFacts, insurer_id: UUID, policy_no: str | None) -> None:
    code = rules.why_not_claimable(
        state=bill.state, refused=bill.refused_reason, borne_fen=bill.borne_fen, e_bill_state=bill.e_bill_state
    )
    if code is None and lookup.claimed_with(work.session, bill.id, insurer_id, policy_no):
        code = "bill_claimed"
    if code is None and e_bills.left_fen(work, bill.id, bill.borne_fen) <= 0:
        code = "borne_used_up"
    if code is not None:
        raise Conflict(code, rules.TEXTS[code])


def _require_payee(work: Work, account_id: UUID, insurer_id: UUID, wanted: c.SubmitClaim, asked_fen: int) -> UUID:
    """The person who receives the money: the insured, or the guardian of a child."""
    payee = wanted.payee
    person = identity.require_person(work.session, account_id, wanted.person_id)
    has_image = person.identity_image or any(d.kind == "identity_image" for d in wanted.documents)
    if asked_fen >= rules.IDENTITY_IMAGE_FROM_FEN and not has_image:
        raise Invalid("identity_image_needed", "金额较大，请上传就诊人身份证件照片（kind 为 identity_image）")
    if payee.kind == "wechat":
        if payee.relation == "self" and person.relation != "self":
            raise Invalid("payee_bank_only", "微信收款只能付给被保险人本人的微信，请选择银行卡")
        app_id, _ = identity.payment_identity(work.session, account_id)
        if asked_fen > rules.WECHAT_LIMIT_FEN:
            raise Invalid("payee_bank_only", "金额超过微信收款限额，请选择银行卡")
        if not identity.merchant_may_use(work.session, insurer_id, app_id):
            raise Invalid("payee_bank_only", "该保险公司不能付款到这个公众号的微信用户，请选择银行卡")
    if payee.relation == "self":
        return wanted.person_id
    guardian_id = identity.guardian_of(work.session, account_id, wanted.person_id)
    if guardian_id is None:
        raise Invalid("payee_not_guardian", "只有未成年人的监护人可以代为收款")
    return guardian_id


def _new_claim(
    work: Work, account_id: UUID, insurer_id: UUID, wanted: c.SubmitClaim, hospital_id: UUID, asked_fen: int
) -> Claim:
    today = work.clock.today()
    consent_id, health_consent_id = consents.give(work, account_id, insurer_id, wanted)
    return Claim(
        no=claim_number(today, next_no(work.session, f"claim:{today}")),
        account_id=account_id,
        person_id=wanted.person_id,
        hospital_id=hospital_id,
        insurer_id=insurer_id,
        policy_no=wanted.policy_no,
        consent_id=consent_id,
        health_consent_id=health_consent_id,
        business_date=today,
        submitted_at=work.now,
        holder=HOLDER[State.SUBMITTED],
        payee_kind=wanted.payee.kind,
        payee_relation=wanted.payee.relation,
        asked_fen=asked_fen,
    )


def _write_payee(work: Work, row: Claim, payee: c.PayeeIn, payee_id: UUID) -> None:
    work.seal(row, "payee_name_sealed", identity.facts(work, payee_id, "payee of a claim").name)
    if payee.bank_account is not None:
        work.seal(row, "payee_account_sealed", payee.bank_account)


def _add_bills(work: Work, row: Claim, bills: Sequence[BillFacts]) -> None:
    """The clearing rows, numbered densely within the business date."""
    first = next_no(work.session, f"clearing:{row.business_date}", len(bills))
    for ordinal, bill in enumerate(bills, first):
        work.add(ClaimBill(
            clearing_no=clearing_number(row.business_date, ordinal),
            business_date=row.business_date,
            ordinal=ordinal,
            kind="pay",
            claim_id=row.id,
            bill_id=bill.id,
            hospital_id=row.hospital_id,
            insurer_id=row.insurer_id,
            borne_fen=bill.borne_fen,
            lost_fen=0,
            payable_fen=0,
            live=True,
        ))  # fmt: skip
