"""What the partners' stand-ins have done, each from its own books: it is done with us too, once and as they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from demo.invariants.scene import Row, Scene

_SETTLEMENTS = """
SELECT s.no, s.status, s.insurance_part, s.setl_id, s.fund_fen, s.account_fen, s.self_pay_fen, s.hospital_told,
       h.code AS hospital
FROM settlement s JOIN party h ON h.id = s.hospital_id
"""
_ORDERS = "SELECT out_trade_no, status, amount_fen FROM payment_order"
_REFUNDS = "SELECT out_refund_no, status, amount_fen FROM refund"
_CLAIMS = """
SELECT c.no, c.status, c.case_no, i.code AS insurer,
       (SELECT array_agg(d.decision_no) FROM decision d WHERE d.claim_id = c.id) AS decisions
FROM claim c JOIN party i ON i.id = c.insurer_id
"""
# Settlement notices that the hospital has taken (sf_jstz): zt 1 stands, 2 was taken back.
_HIS_NOTICES = "SELECT jsbh AS no FROM sf_jstz WHERE zt = '1'"


def check_partners(scene: Scene) -> list[str]:
    return [
        *_insurance(scene),
        *_repeated(scene),
        *_hospitals(scene),
        *_orders(scene),
        *_refunds(scene),
        *_cases(scene),
        *_left_to_say(scene),
    ]


def _insurance(scene: Scene) -> Iterator[str]:
    """Every 2207 that stands at the interface is a settlement of ours with these amounts, and the other way round."""
    name = str(scene.interface["code"])
    if not scene.has(name):
        return
    ours = {row["no"]: row for row in scene.rows(_SETTLEMENTS)}
    theirs = {row["out_setl_no"]: row for row in scene.state(name, "settlements").values()}
    for no, row in theirs.items():
        if row["state"] != "settled":
            continue
        mine, split = ours.get(no), row["split"]
        if mine is None or mine["status"] not in ("settled", "synchronised"):
            yield f"settlement {no} stands at {name}, but is {mine['status'] if mine else 'unknown'} here"
            continue
        said = (split["fund_fen"], split["account_fen"], split["cash_fen"])
        if said != (mine["fund_fen"], mine["account_fen"], mine["self_pay_fen"]):
            yield f"settlement {no}: its parts at {name} are {said}, others here"
    for no, mine in ours.items():
        state = theirs[no]["state"] if no in theirs else "unknown"
        if mine["status"] in ("settled", "synchronised") and state != "settled":
            yield f"settlement {no} is {mine['status']} here, but {state} at {name}"


def _repeated(scene: Scene) -> Iterator[str]:
    """Whoever sends 2207 or 2208 again under a number has asked (ZP02) what became of the last."""
    name = str(scene.interface["code"])
    numbers = {setl_id: row["out_setl_no"] for setl_id, row in scene.state(name, "settlements").items()}
    sent: set[tuple[str, str]] = set()
    for infno, data in _messages(scene.journal(name)):
        no = str(data.get("out_setl_no") or numbers.get(data.get("setl_id", ""), ""))
        if infno == "ZP02":
            sent -= {("2207", no), ("2208", no)}
        elif infno in ("2207", "2208"):
            if (infno, no) in sent:
                yield f"settlement {no}: {infno} was sent to {name} again before it was asked for"
            sent.add((infno, no))


def _messages(journal: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Number and data of what an interface was sent, in order."""
    for entry in journal:
        if entry.get("path") != "/fsi/api":
            continue
        try:
            sent = json.loads(entry["body"])
            yield str(sent["infno"]), dict(sent["input"]["data"])
        except (ValueError, KeyError, TypeError):
            continue


def _hospitals(scene: Scene) -> Iterator[str]:
    ours = {row["no"]: row for row in scene.rows(_SETTLEMENTS)}
    for hospital in scene.hospitals():
        code = hospital["code"]
        taken = {row["no"] for row in scene.his_rows(hospital, _HIS_NOTICES)}
        for no in taken:
            if no not in ours or not ours[no]["hospital_told"]:
                yield f"{code} has booked settlement {no}, which we do not know"
        for no, row in ours.items() if hospital.get("his_database_url") else ():
            if row["hospital"] == code and row["status"] == "synchronised" and no not in taken:
                yield f"settlement {no} is synchronised here, but {code} has not booked it"


def _orders(scene: Scene) -> Iterator[str]:
    if not scene.has("wechat"):
        return
    ours = {row["out_trade_no"]: row for row in scene.rows(_ORDERS)}
    theirs = {row["out_trade_no"]: row for row in scene.state("wechat", "order").values()}
    for no, row in theirs.items():
        status = ours[no]["status"] if no in ours else "unknown"
        # Disputed: it was paid, but not as asked for, and a person has to look.
        if row["state"] in ("SUCCESS", "REFUND") and status not in ("paid", "disputed"):
            yield f"order {no} is paid at WeChat Pay, but {status} here"
        if no in ours and row["amount"]["total"] != ours[no]["amount_fen"]:
            yield f"order {no}: {row['amount']['total']} fen at WeChat Pay, {ours[no]['amount_fen']} here"
    for no, row in ours.items():
        if row["status"] == "paid" and (no not in theirs or theirs[no]["state"] not in ("SUCCESS", "REFUND")):
            yield f"order {no} is paid here, but not at WeChat Pay"


def _refunds(scene: Scene) -> Iterator[str]:
    if not scene.has("wechat"):
        return
    ours = {row["out_refund_no"]: row for row in scene.rows(_REFUNDS)}
    theirs = {row["out_refund_no"]: row for row in scene.state("wechat", "refund").values()}
    for no, row in theirs.items():
        status = ours[no]["status"] if no in ours else "unknown"
        if row["status"] == "SUCCESS" and status != "succeeded":
            yield f"refund {no} has succeeded at WeChat Pay, but is {status} here"
        if no in ours and row["refund_fen"] != ours[no]["amount_fen"]:
            yield f"refund {no}: {row['refund_fen']} fen at WeChat Pay, {ours[no]['amount_fen']} here"
    for no, row in ours.items():
        if row["status"] == "succeeded" and (no not in theirs or theirs[no]["status"] != "SUCCESS"):
            yield f"refund {no} has succeeded here, but not at WeChat Pay"


def _cases(scene: Scene) -> Iterator[str]:
    """Every case of an insurer is a claim of ours, with every decision; what was withdrawn here is withdrawn there."""
    ours = {row["no"]: row for row in scene.rows(_CLAIMS)}
    for insurer in scene.insurers():
        code = insurer["code"]
        for claim_no, case in scene.state(code, "cases").items():
            claim = ours.get(claim_no)
            if claim is None or claim["insurer"] != code:
                yield f"{code} has a case for claim {claim_no}, which we do not know"
                continue
            if claim["case_no"] != case["case_no"]:
                yield f"claim {claim_no} is case {case['case_no']} at {code}, {claim['case_no']} here"
            missing = {made["decision_no"] for made in case["decisions"]} - set(claim["decisions"] or ())
            for decision_no in sorted(missing):
                yield f"decision {decision_no} of claim {claim_no} was made at {code}, but is not here"
            if (case["state"] == "withdrawn") != (claim["status"] == "withdrawn"):
                yield f"claim {claim_no} is {claim['status']} here, {case['state']} at {code}"


def _left_to_say(scene: Scene) -> Iterator[str]:
    """Messages that a partner still tries to bring us: every one of them was refused or is under way."""
    for party in (*scene.insurers(), scene.world["bank"]):
        for table in ("outbox0", "outbox1"):
            for key, item in scene.state(party["code"], table).items():
                body = item["body"]
                yield f"{party['code']}'s message {key} ({body['type']}) is not taken after {body['tries']} tries"
