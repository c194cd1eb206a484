"""What the platform may do with an open case. The same request again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_partners.answers import Refused, missing
from mock_partners.books import is_clearing_no
from mock_partners.insurer import package
from mock_partners.insurer.casebook import Case, Casebook, refused_lines
from mock_partners.insurer.intake import take_next, take_version
from mock_partners.insurer.lowering import RECOVERY_FIELDS, check_lowered
from mock_partners.insurer.payouts import note_payout


def supply(book: Casebook, claim_no: str, body: Mapping[str, Any]) -> None:
    """Take what was asked for, all at once, with the version of the package that lists it; the documents are noted by
    kind and hash, not kept."""
    case = book.case(claim_no)
    if missing(body, ("request_no", "package")) or body["request_no"] != case["documents_request_no"]:
        raise Refused(422, "request_unknown", "没有这次补充材料的要求")
    opened = take_next(book, case, body["package"])
    if case["documents"]:
        return
    asked = {item["kind"] for item in book.policy(case["policy_no"]).documents_asked}
    documents = package.supplied(opened.package["parts"], opened.files, body["request_no"])
    if documents is None or not asked <= {document["kind"] for document in documents}:
        raise Refused(422, "documents_incomplete", "材料不齐全或与摘要不符")
    take_version(book, case, opened.package)
    case["documents"] = documents
    book.to_adjuster(case)


def appeal(book: Casebook, claim_no: str, body: Mapping[str, Any]) -> None:
    """One appeal per case, against the lines named or, with none named, against every line not paid as billed."""
    case = book.case(claim_no)
    named = sorted([line["clearing_no"], line["line_no"]] for line in body.get("lines") or ())
    if case["appealed"] is not None and case["appealed"] == (named or refused_lines(case["decisions"][0])):
        return
    if case["state"] not in ("decided", "accepted") or case["appealed"] is not None:
        raise Refused(409, "not_appealable", "案件当前不能申请复核")
    known = [[line["clearing_no"], line["line_no"]] for line in case["decisions"][-1]["lines"]]
    if any(line not in known for line in named):
        raise Refused(422, "line_unknown", "复核的明细不在案件内")
    appealed = named or refused_lines(case["decisions"][-1])
    case.update(state="appealed", appealed=appealed, appeal_reason=body.get("reason", ""))
    book.to_adjuster(case)


def accept(book: Casebook, claim_no: str) -> None:
    case = book.case(claim_no)
    if case["state"] == "accepted":
        return
    if case["state"] != "decided" or not case["decisions"][-1]["approved_fen"]:
        raise Refused(409, "nothing_to_accept", "没有可接受的赔付结论")
    case["state"] = "accepted"
    book.save(case)


def withdraw(book: Casebook, claim_no: str, body: Mapping[str, Any]) -> None:
    """Close a case that is not decided; the `reversals` named take its bills out of the books, each under a number."""
    case = book.case(claim_no)
    if case["state"] not in ("intake", "documents", "withdrawn"):
        raise Refused(409, "already_decided", "案件已有结论，不能撤回")
    reversals = body.get("reversals") or ()
    for row in reversals:
        if book.ledger.claim_of(row["original_clearing_no"]) != claim_no:
            raise Refused(422, "clearing_no_unknown", "原清算流水号不在案件内")
        if not is_clearing_no(row["clearing_no"]) or book.ledger.claim_of(row["clearing_no"]) not in (None, claim_no):
            raise Refused(422, "clearing_no_invalid", "冲正清算流水号无效")
    for row in reversals:
        book.ledger.reverse(row["clearing_no"], row["original_clearing_no"], book.now())
    case["state"] = "withdrawn"
    book.agenda.cancel(claim_no)
    book.save(case)


def recovery(book: Casebook, claim_no: str, body: Mapping[str, Any]) -> None:
    """The hospital took a bill back or amended it after the decision: nothing more is paid of what was lost, and what
    has been paid of it is asked back. Answers `claim.recovery_ended` by itself where the settings say with what."""
    case = book.case(claim_no)
    if missing(body, RECOVERY_FIELDS):
        raise Refused(422, "malformed", "追回通知格式有误")
    if book.ledger.claim_of(body["clearing_no"]) != claim_no:
        raise Refused(422, "clearing_no_unknown", "清算流水号不在案件内")
    if body["reason"] == "bill_amended":
        check_lowered(book, case, body)
    else:
        _take_back(book, case, body)
    recoveries = case.get("recoveries", {})
    before = recoveries.get(body["recovery_no"])
    case["recoveries"] = {**recoveries, body["recovery_no"]: dict(body)}
    book.save(case)
    outcome = book.settings.recovery_outcome
    if outcome and body["status"] == "open" and (before is None or before["status"] != "open"):
        ended = {"claim_no": claim_no, "recovery_no": body["recovery_no"], "outcome": outcome}
        book.sender.post("claim.recovery_ended", claim_no, ended | {"amount_fen": body["due_fen"]})


def _take_back(book: Casebook, case: Case, body: Mapping[str, Any]) -> None:
    """The bill's row leaves the books, under the recovery's number, and no decision may pay anything for it."""
    if not is_clearing_no(body["recovery_no"]):
        raise Refused(422, "clearing_no_invalid", "冲正清算流水号无效")
    if book.ledger.claim_of(body["recovery_no"]) is None:
        book.ledger.reverse(body["recovery_no"], body["clearing_no"], book.now())
    case["remainders"] = {**case["remainders"], body["clearing_no"]: 0}


def payout(book: Casebook, claim_no: str, body: Mapping[str, Any]) -> None:
    case = book.case(claim_no)
    note_payout(case, body)
    book.save(case)
