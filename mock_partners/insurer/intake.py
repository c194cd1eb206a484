"""Intake: a claim package is checked, its case opened, its bills booked, before anything is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_partners.answers import Refused, missing
from mock_partners.books import date_of
from mock_partners.insurer import package
from mock_partners.insurer.casebook import Case, Casebook


def take_in(book: Casebook, body: Mapping[str, Any]) -> Case:
    """Check a package and open its case (or give it to the open one, as the next version)."""
    if missing(body, ("claim_no", "policy_no", "package")):
        raise Refused(422, "malformed", "请求缺少字段")
    if found := _problems(body, book.settings.package_public_keys):
        raise Refused(422, "package_invalid", "理赔包校验不通过", problems=found)
    case = book.cases.get(body["claim_no"])
    if case and _is_known(case, body["package"]["manifest"]):
        return case
    _check_parties(book, body)
    if case:
        _check_next(case, body["package"]["manifest"])
    return _open(book, body, case)


def _is_known(case: Case, manifest: Mapping[str, Any]) -> bool:
    if manifest["package_version"] != case["package_version"]:
        return False
    if manifest["root"] != case["root"]:
        raise Refused(409, "version_reused", "同一版本的理赔包内容不同")
    return True


def _check_parties(book: Casebook, body: Mapping[str, Any]) -> None:
    parts, policy = body["package"]["parts"], book.policy(body["policy_no"])
    if not policy.insured.is_same(parts["insured"]) or parts["policy"].get("policy_no") != policy.policy_no:
        raise Refused(422, "not_insured", "被保险人与保单不符")
    for bill in parts["bills"]:
        if book.ledger.claim_of(bill["clearing_no"]) not in (None, body["claim_no"]):
            raise Refused(409, "clearing_no_used", "清算流水号已用于其他理赔")


def _check_next(case: Case, manifest: Mapping[str, Any]) -> None:
    if case["state"] not in ("intake", "documents"):
        raise Refused(409, "already_decided", "案件已有结论")
    if manifest["package_version"] < case["package_version"] or manifest["previous_root"] != case["root"]:
        raise Refused(409, "version_unknown", "理赔包版本不连续")


def _open(book: Casebook, body: Mapping[str, Any], old: Case | None) -> Case:
    manifest, parts = body["package"]["manifest"], body["package"]["parts"]
    numbers = [bill["clearing_no"] for bill in parts["bills"]]
    case = old or new_case(book, body, date_of(numbers[0]))
    case.update(
        state="intake",
        package_version=manifest["package_version"],
        root=manifest["root"],
        remainders={r["clearing_no"]: r["max_fen"] for r in body.get("remainders") or ()},
    )
    book.packages.put(case["claim_no"], parts)
    book.ledger.strike(case["claim_no"], numbers)
    book.ledger.book(parts["bills"], case["claim_no"], book.now())
    if old is None:
        book.sender.post("claim.case_opened", case["claim_no"], {k: case[k] for k in ("claim_no", "case_no")})
    book.to_adjuster(case)
    return case


def new_case(book: Casebook, body: Mapping[str, Any], business_date: str) -> Case:
    """A case for `claim_no` under `policy_no`, not kept yet."""
    return {
        "claim_no": body["claim_no"],
        "case_no": f"{book.code}{business_date.replace('-', '')}{len(book.cases) + 1:06d}",
        "policy_no": body["policy_no"],
        "documents_request_no": None,
        "documents": [],
        "decisions": [],
        "appealed": None,
        "payouts": {},
    }


def _problems(body: Mapping[str, Any], keys: Mapping[str, str]) -> list[dict[str, str]]:
    try:
        found = package.problems(body["package"], keys)
        if not found and body["package"]["manifest"]["claim_no"] != body["claim_no"]:
            found = [{"code": "claim_differs", "text": "理赔申请号与理赔包不一致"}]
        return found
    except (AttributeError, KeyError, TypeError, ValueError):
        return [{"code": "malformed", "text": "理赔包格式有误"}]
