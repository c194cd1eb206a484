"""Intake: a claim package is checked, its case opened, its bills booked, before anything is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_partners.answers import Refused, missing
from mock_partners.books import date_of
from mock_partners.insurer import package
from mock_partners.insurer.casebook import Case, Casebook
from mock_partners.insurer.opening import Opened, Unopened


def take_in(book: Casebook, body: Mapping[str, Any]) -> Case:
    """Check a package and open its case."""
    if missing(body, ("claim_no", "policy_no", "package")):
        raise Refused(422, "malformed", "请求缺少字段")
    plain = read_package(book, body["claim_no"], body["package"]).package
    case = book.cases.get(body["claim_no"])
    if case and _is_known(case, plain["manifest"]):
        return case
    _check_parties(book, body["claim_no"], body["policy_no"], plain["parts"])
    if case:
        _check_next(case, plain["manifest"])
    case = case or new_case(book, body, date_of(plain["parts"]["bills"][0]["clearing_no"]))
    case["remainders"] = {r["clearing_no"]: r["max_fen"] for r in body.get("remainders") or ()}
    is_new = body["claim_no"] not in book.cases
    take_version(book, case, plain)
    if is_new:
        book.sender.post("claim.case_opened", case["claim_no"], {k: case[k] for k in ("claim_no", "case_no")})
    book.to_adjuster(case)
    return case


def take_next(book: Casebook, case: Case, given: Any) -> Opened:
    """The package's next version, which comes with documents; the same again changes nothing."""
    opened = read_package(book, case["claim_no"], given)
    if not _is_known(case, opened.package["manifest"]):
        _check_parties(book, case["claim_no"], case["policy_no"], opened.package["parts"])
        _check_next(case, opened.package["manifest"])
    return opened


def take_version(book: Casebook, case: Case, plain: Mapping[str, Any]) -> None:
    """From now on this version counts, and its bills stand in the books."""
    manifest, parts = plain["manifest"], plain["parts"]
    case.update(state="intake", package_version=manifest["package_version"], root=manifest["root"])
    book.packages.put(case["claim_no"], parts)
    book.ledger.strike(case["claim_no"], [bill["clearing_no"] for bill in parts["bills"]])
    book.ledger.book(parts["bills"], case["claim_no"], book.now())


def read_package(book: Casebook, claim_no: str, given: Any) -> Opened:
    """The package in plain text, found right."""
    found = []
    try:
        opened = book.keyring.open(given)
        found = package.problems(opened.package, book.settings.package_public_keys)
        if not found and opened.package["manifest"]["claim_no"] != claim_no:
            found = [{"code": "claim_differs", "text": "理赔申请号与理赔包不一致"}]
    except Unopened as part:
        found = [{"code": "not_opened", "text": f"{part.name} 无法解密"}]
    except (AttributeError, KeyError, TypeError, ValueError):
        found = [{"code": "malformed", "text": "理赔包格式有误"}]
    if found:
        raise Refused(422, "package_invalid", "理赔包校验不通过", problems=found)
    return opened


def _is_known(case: Case, manifest: Mapping[str, Any]) -> bool:
    if manifest["package_version"] != case["package_version"]:
        return False
    if manifest["root"] != case["root"]:
        raise Refused(409, "version_reused", "同一版本的理赔包内容不同")
    return True


def _check_parties(book: Casebook, claim_no: str, policy_no: str, parts: Mapping[str, Any]) -> None:
    policy = book.policy(policy_no)
    if not policy.insured.is_same(parts["insured"]) or parts["policy"].get("policy_no") != policy.policy_no:
        raise Refused(422, "not_insured", "被保险人与保单不符")
    for bill in parts["bills"]:
        if book.ledger.claim_of(bill["clearing_no"]) not in (None, claim_no):
            raise Refused(409, "clearing_no_used", "清算流水号已用于其他理赔")


def _check_next(case: Case, manifest: Mapping[str, Any]) -> None:
    if case["state"] not in ("intake", "documents"):
        raise Refused(409, "already_decided", "案件已有结论")
    if manifest["package_version"] < case["package_version"] or manifest["previous_root"] != case["root"]:
        raise Refused(409, "version_unknown", "理赔包版本不连续")


def new_case(book: Casebook, body: Mapping[str, Any], business_date: str) -> Case:
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
