"""From a submitted claim to a sealed package: is everything there, is the person insured, what is shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.claim import contracts as c
from app.claim import package, queries, rules
from app.claim.models import Claim, ClaimBill, ClaimPackage, EBillGuard, Policy
from app.claim.submission import advance, book, left_to_claim, lock_bills
from app.core.clock import shanghai_date
from app.core.errors import NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.notification import service as notification
from app.record import queries as record
from app.record import service as records
from app.record.queries import BillFacts


def assemble(work: Work, claim_id: UUID) -> bool:
    """True when the hospital's data are complete and the claim went on (or ended), False while data are missing."""
    row = get(work, claim_id)
    bills = record.bills(work.session, [b.bill_id for b in queries.bills(work.session, row.id)])
    if any(bill.e_bill_state == "reversed" for bill in bills):
        end_ineligible(work, row, "e_bill_reversed")
    elif all(bill.e_bill_state == "issued" for bill in bills):
        records.verify_checks(work, [bill.id for bill in bills])
        advance(work, row, "verify")
        work.later("claim.verify", row.id)
    elif work.now - row.status_since > rules.DATA_WAIT:
        end_ineligible(work, row, "data_missing")
    else:
        return False
    return True


def eligibility_question(work: Work, row: Claim) -> dict[str, Any]:
    """What the insurer is asked before anything of the record is shared: who, when, which diagnoses, how much."""
    person = identity.facts(work, row.person_id, "eligibility question")
    rows = {b.bill_id: b for b in queries.bills(work.session, row.id)}
    bills = record.bills(work.session, list(rows))
    diagnoses = record.diagnoses(work.session, [bill.visit_id for bill in bills])
    return {
        "request_no": str(row.id),
        "hospital_code": exchange.party(work.session, row.hospital_id).code,
        "person": {
            "name": person.name,
            "document_type": person.document_type,
            "document_no": person.document_no,
            "birth_date": person.birth_date.isoformat(),
        },
        "on": row.business_date.isoformat(),
        "bills": [
            {
                "clearing_no": rows[bill.id].clearing_no,
                "started_on": shanghai_date(bill.started_at).isoformat(),
                "ended_on": shanghai_date(bill.ended_at or bill.started_at).isoformat(),
                "diagnoses": [
                    {"code": d.code, "code_system": d.code_system} for d in diagnoses if d.visit_id == bill.visit_id
                ],
                "total_fen": bill.total_fen,
                "borne_fen": bill.borne_fen,
            }
            for bill in bills
        ],
    }


def verified(work: Work, claim_id: UUID, answer: c.EligibilityIn) -> None:
    """The insurer has answered: keep what it said of the policies, choose one that covers, and guard the e-bills."""
    row = get(work, claim_id)
    _remember_policies(work, row, answer.policies)
    wanted = [p for p in answer.policies if row.policy_no in (None, p.policy_no)]
    covering = [p for p in wanted if p.in_scope]
    if not answer.insured or not wanted:
        end_ineligible(work, row, "not_insured")
    elif not covering:
        reasons = [reason.model_dump() for policy in wanted for reason in policy.reasons]
        end_ineligible(work, row, "policy_out_of_scope", reasons)
    elif not _guard_e_bills(work, row, covering[0].policy_no):
        end_ineligible(work, row, "bill_claimed")
    elif advance(work, row, "eligible", policy_no=covering[0].policy_no):
        work.later("claim.deliver", row.id)


def _remember_policies(work: Work, row: Claim, policies: Sequence[c.PolicyIn]) -> None:
    for policy in policies:
        values = policy.model_dump(exclude={"in_scope", "reasons"}) | {"asked_at": work.now}
        new = insert(Policy).values(id=Policy().id, insurer_id=row.insurer_id, person_id=row.person_id, **values)
        work.session.execute(
            new.on_conflict_do_update(index_elements=["insurer_id", "policy_no", "person_id"], set_=values)
        )


def _guard_e_bills(work: Work, row: Claim, policy_no: str) -> bool:
    """One e-bill in at most one live claim of a policy: the primary key decides."""
    e_bills = record.e_bills(work.session, [b.bill_id for b in queries.bills(work.session, row.id)])
    wanted = [
        {"code": e.code, "number": e.number, "insurer_id": row.insurer_id, "policy_no": policy_no, "claim_id": row.id}
        for e in e_bills
    ]
    work.session.execute(insert(EBillGuard).values(wanted).on_conflict_do_nothing())
    mine = select(EBillGuard.number).where(EBillGuard.claim_id == row.id)
    return len(work.session.scalars(mine).all()) == len(wanted)


def end_ineligible(work: Work, row: Claim, code: str, reasons: list[dict[str, str]] | None = None) -> None:
    """The claim ends before the insurer gets anything; its bills are free again."""
    told = reasons or [{"code": code, "text": rules.TEXTS[code]}]
    if advance(work, row, "ineligible", reasons=told):
        release_bills(work, row)
        notification.notify(
            work,
            "claim_ineligible",
            account_id=row.account_id,
            subject=row.id,
            params={"no": row.no, "reason": told[0]["text"]},
            dedupe=f"ineligible:{row.id}",
        )


def release_bills(work: Work, row: Claim) -> None:
    """An ended claim holds nothing: its bills and e-bills may be claimed again."""
    for clearing in queries.bills(work.session, row.id):
        clearing.live = False
    work.session.execute(delete(EBillGuard).where(EBillGuard.claim_id == row.id))


def seal_package(work: Work, claim_id: UUID) -> ClaimPackage | None:
    """Freeze, hash and sign the claim's content as its first package; None while an earlier claim of another policy on
    the same bill is not decided: only then is it known how much is left."""
    row = get(work, claim_id)
    clearings = queries.bills(work.session, row.id)
    lock_bills(work, [clearing.bill_id for clearing in clearings])
    if any(_waits_for_another(work, clearing) for clearing in clearings):
        return None
    old = queries.latest_package(work.session, row.id)
    if old is not None:
        return old
    identity.note_shared(work, row.consent_id, rules.CONSENT_SCOPE, row.id)
    head = package.Head(row.no, 1, None, work.now)
    content = package.seal(head, _parts(work, row, clearings), work.privacy.signing_seed)
    sealed = ClaimPackage(
        claim_id=row.id,
        version=1,
        root=content["manifest"]["root"],
        signature=content["manifest"]["signature"],
    )
    sealed.content_sealed = work.privacy.seal_json(content, f"claim_package:content_sealed:{sealed.id}")
    work.add(sealed)
    for clearing in clearings:
        bill = record.bill(work.session, clearing.bill_id)
        assert bill is not None
        book(work, clearing, bill.key)
    advance(work, row, "deliver")
    return sealed


def _waits_for_another(work: Work, clearing: ClaimBill) -> bool:
    earlier = [r for r in queries.live_rows_of_bill(work.session, clearing.bill_id) if r.id < clearing.id]
    return any(r.approved_fen is None and r.claim_id != clearing.claim_id for r in earlier)


def delivered(work: Work, claim_id: UUID, package_id: UUID, case_no: str) -> None:
    """The insurer has taken the package in and opened a case."""
    row, sealed = get(work, claim_id), work.session.get(ClaimPackage, package_id)
    assert sealed is not None
    sealed.delivered_at = sealed.delivered_at or work.now
    row.case_no = row.case_no or case_no
    advance(work, row, "delivered")


def end_refused(work: Work, row: Claim, code: str) -> None:
    """The insurer will not take the package: the claim ends; what was booked shows in the reconciliation."""
    end_ineligible(work, row, "package_refused", [{"code": code, "text": rules.TEXTS["package_refused"]}])


def remainders(work: Work, claim_id: UUID) -> list[dict[str, Any]]:
    """How much of each bill other policies have left over."""
    return [
        {"clearing_no": r.clearing_no, "max_fen": left_to_claim(work, r.bill_id, r.borne_fen, but=claim_id)}
        for r in queries.bills(work.session, claim_id)
    ]


def open_package(work: Work, sealed: ClaimPackage) -> Any:
    work.audit("read.claim_package.content_sealed", "claim_package", sealed.id, why="delivery to the insurer")
    return work.privacy.open_json(sealed.content_sealed, f"claim_package:content_sealed:{sealed.id}")


def _parts(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> dict[str, Any]:
    bills = {bill.id: bill for bill in record.bills(work.session, [r.bill_id for r in clearings])}
    visit_keys = {bill.visit_id: bill.visit_key for bill in bills.values()}
    person = identity.facts(work, row.person_id, "claim package")
    policy = work.session.scalar(
        select(Policy).where(
            Policy.insurer_id == row.insurer_id, Policy.person_id == row.person_id, Policy.policy_no == row.policy_no
        )
    )
    assert policy is not None
    hospital = exchange.party(work.session, row.hospital_id)
    return {
        "claim": {
            "claim_no": row.no,
            "type": "quick",
            "created_at": row.status_since.isoformat(),
            "business_date": row.business_date.isoformat(),
            "asked_fen": row.asked_fen,
            "payee": {"kind": row.payee_kind, "relation": row.payee_relation},
        },
        "insured": {
            "name": person.name,
            "document_type": person.document_type,
            "document_no": person.document_no,
            "birth_date": person.birth_date.isoformat(),
            "sex": person.sex,
        },
        "policy": {
            "policy_no": policy.policy_no,
            "product_name": policy.product_name,
            "product_filing_no": policy.product_filing_no,
            "valid_from": policy.valid_from.isoformat(),
            "valid_to": policy.valid_to.isoformat(),
        },
        "hospital": {"code": hospital.code, "name": hospital.name},
        "visits": [_visit(work, visit_id) for visit_id in visit_keys],
        "diagnoses": [
            {"visit_key": visit_keys[d.visit_id], "main": d.main, "stage": d.stage, **_coded(d)}
            for d in record.diagnoses(work.session, list(visit_keys))
        ],
        "procedures": [
            {"visit_key": visit_keys[p.visit_id], "at": p.at.isoformat(), **_coded(p)}
            for p in record.procedures(work.session, list(visit_keys))
        ],
        "bills": [_bill(work, bills[r.bill_id], r.clearing_no) for r in clearings],
        "e_bills": _e_bills(work, clearings),
        "documents": [
            {"visit_key": visit_keys[d.visit_id], "kind": d.kind, "title": d.title, "sha256": d.sha256, "text": text}
            for d, text in records.read_documents(work, visit_keys, "claim package")
        ],
        "consent": _consent(work, row.consent_id),
        "application_form": {
            "claim_no": row.no,
            "applicant_relation": row.payee_relation,
            "insured_name": person.name,
            "bills": len(clearings),
            "asked_fen": row.asked_fen,
            "statement": "本人确认以上内容属实，申请保险理赔",
        },
    }


def _consent(work: Work, consent_id: UUID) -> dict[str, Any]:
    given = identity.consent(work.session, consent_id)
    return {
        "purpose": given.purpose,
        "scope": given.scope,
        "wording": given.wording,
        "given_at": given.given_at.isoformat(),
        "by_guardian": given.guardian_id is not None,
    }


def _coded(row: Any) -> dict[str, str]:
    return {name: getattr(row, name) for name in ("code", "code_system", "code_edition", "name")}


def _visit(work: Work, visit_id: UUID) -> dict[str, Any]:
    visit = record.visit(work.session, visit_id)
    assert visit is not None
    return {
        "visit_key": visit.key,
        "kind": visit.kind,
        "campus": visit.campus,
        "department_name": visit.department_name,
        "doctor_name": visit.doctor_name,
        "started_at": visit.started_at.isoformat(),
        "started_on": shanghai_date(visit.started_at).isoformat(),
        "ended_at": visit.ended_at.isoformat() if visit.ended_at else None,
    }


def _bill(work: Work, bill: BillFacts, clearing_no: str) -> dict[str, Any]:
    return {
        "clearing_no": clearing_no,
        "bill_no": bill.bill_no,
        "visit_key": bill.visit_key,
        "total_fen": bill.total_fen,
        "fund_fen": bill.fund_fen,
        "account_fen": bill.account_fen,
        "self_pay_fen": bill.self_pay_fen,
        "borne_fen": bill.borne_fen,
        "lines": [
            {
                "line_no": line.line_no,
                "category": line.category,
                "insurance_code": line.insurance_code,
                "insurance_class": line.insurance_class,
                "unit_price": str(line.unit_price),
                "quantity": str(line.quantity),
                "amount_fen": line.amount_fen,
                "at": line.at.isoformat(),
                **_coded(line),
            }
            for line in record.lines(work.session, [bill.id])
        ],
    }


def _e_bills(work: Work, clearings: Sequence[ClaimBill]) -> list[dict[str, Any]]:
    numbers = {r.bill_id: r.clearing_no for r in clearings}
    return [
        {
            "clearing_no": numbers[e.bill_id],
            "code": e.code,
            "number": e.number,
            "check_code": e.check_code,
            "issued_on": e.issued_on.isoformat(),
            "status": e.state,
            "sha256": e.sha256,
        }
        for e in record.e_bills(work.session, list(numbers))
    ]


def get(work: Work, claim_id: UUID) -> Claim:
    row = queries.claim(work.session, claim_id)
    if row is None:
        raise NotFound
    return row
