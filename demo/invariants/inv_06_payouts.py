"""6. What succeeded or can still move is at most what may be paid of what was approved, beside what is recovered; one
payout moves at a time; the books add up.

Every transfer of ours stands against the one that WeChat Pay or the bank executed under the same number, the insurers'
balances against the sums, and the ledger is added up from its entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from demo.invariants.inv_06_ledger import check_ledger
from demo.invariants.scene import Row, Scene

_OPEN = ("created", "held", "approved", "sending", "unknown", "accepted", "waiting_user_confirm", "transferring")
# The bank double opens every account it is told of with as much.
BANK_OPENING_FEN = 100_000_000_00
_CLAIMS = """
SELECT c.no, c.paid_fen, c.approved_fen,
       (SELECT d.approved_fen FROM decision d WHERE d.claim_id = c.id ORDER BY d.decided_at DESC, d.id DESC LIMIT 1)
           AS decided_fen,
       (SELECT coalesce(sum(r.payable_fen), 0) FROM claim_bill r WHERE r.claim_id = c.id AND r.kind = 'pay')
           AS payable_fen,
       (SELECT coalesce(sum(CASE x.status WHEN 'waiting' THEN x.share_fen ELSE x.due_fen END), 0) FROM recovery x
        WHERE x.claim_id = c.id AND x.status <> 'void') AS recovered_fen,
       coalesce(sum(p.amount_fen) FILTER (WHERE p.status = 'succeeded'), 0) AS succeeded_fen,
       coalesce(sum(p.amount_fen) FILTER (WHERE p.status = ANY(%(open)s)), 0) AS open_fen,
       count(*) FILTER (WHERE p.status = ANY(%(open)s)) AS open
FROM claim c JOIN payout p ON p.claim_id = c.id GROUP BY c.id ORDER BY c.no
"""
_PAYOUTS = """
SELECT p.out_no, p.claim_no, p.status, p.channel, p.amount_fen, p.approvals_needed, i.code AS insurer,
       (SELECT count(*) FROM payout_approval a WHERE a.payout_id = p.id) AS approvals
FROM payout p JOIN party i ON i.id = p.insurer_id ORDER BY p.id
"""


@dataclass(frozen=True)
class Transfer:
    """One transfer as the provider has it. `payer` is the insurer whose money it was."""

    payer: str
    amount_fen: int
    executed: bool
    came_back: bool = False


def check(scene: Scene) -> list[str]:
    payouts = scene.rows(_PAYOUTS)
    return [
        *_approved(scene),
        *_two_people(payouts),
        *_executed(scene, payouts),
        *_balances(scene, payouts),
        *_told(scene, payouts),
        *check_ledger(scene),
    ]


def _approved(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_CLAIMS, open=list(_OPEN)):
        moving_fen = row["succeeded_fen"] + row["open_fen"]
        if row["payable_fen"] > (row["decided_fen"] or 0):
            yield f"claim {row['no']}: {row['payable_fen']} fen payable, {row['decided_fen'] or 0} approved"
        if moving_fen > row["payable_fen"] + row["recovered_fen"]:
            may_fen = f"{row['payable_fen']} payable, {row['recovered_fen']} to be recovered"
            yield f"claim {row['no']}: {moving_fen} fen paid or on the way, {may_fen}"
        if row["open"] > 1:
            yield f"claim {row['no']}: {row['open']} payouts can move money at the same time"
        if row["paid_fen"] != row["succeeded_fen"]:
            yield f"claim {row['no']}: {row['paid_fen']} fen noted as paid, {row['succeeded_fen']} succeeded"


def _two_people(payouts: list[Row]) -> Iterator[str]:
    for row in payouts:
        gone = row["status"] not in ("created", "held", "cancelled")
        if gone and row["approvals"] < row["approvals_needed"]:
            yield f"payout {row['out_no']}: sent with {row['approvals']} of {row['approvals_needed']} approvals"


def transfers(scene: Scene) -> dict[str, list[Transfer]]:
    """What WeChat Pay and the bank did, by our number: more than one under a number is money moved twice."""
    owners: dict[str, str] = {row["mchid"]: row["owner"] for row in scene.merchants()}
    found: dict[str, list[Transfer]] = defaultdict(list)
    for row in scene.state("wechat", "transfer").values():
        payer, amount_fen = owners.get(row["mchid"], "nobody"), row["wanted"]["transfer_amount"]
        found[row["out_bill_no"]].append(Transfer(payer, amount_fen, row["state"] == "SUCCESS"))
    accounts: dict[str, str] = {insurer["bank_account"]: insurer["code"] for insurer in scene.insurers()}
    returned = scene.state(scene.bank, "returns")
    for out_no, row in scene.state(scene.bank, "transfers").items():
        payer, executed = accounts.get(row["from_account"], "nobody"), row["status"] == "succeeded"
        found[out_no].append(Transfer(payer, row["amount_fen"], executed, out_no in returned))
    return found


def _executed(scene: Scene, payouts: list[Row]) -> Iterator[str]:
    theirs = transfers(scene)
    if not (scene.has("wechat") and scene.has(scene.bank)):
        return
    for row in payouts:
        yield from _one_payout(scene, row, theirs.get(row["out_no"], []))
    known = {row["out_no"] for row in payouts}
    for out_no, done in theirs.items():
        if out_no not in known and any(one.executed for one in done):
            yield f"transfer {out_no} was executed, but no payout has this number"


def _one_payout(scene: Scene, row: Row, done: list[Transfer]) -> Iterator[str]:
    name, executed = f"payout {row['out_no']}", [one for one in done if one.executed]
    if len(executed) > 1:
        yield f"{name}: executed {len(executed)} times"
    for one in done:
        if (one.payer, one.amount_fen) != (row["insurer"], row["amount_fen"]):
            wanted = f"{row['amount_fen']} fen from {row['insurer']}"
            yield f"{name}: {wanted}, the provider has {one.amount_fen} fen from {one.payer}"
    came_back = any(one.came_back for one in executed)
    if row["status"] in ("succeeded", "returned") and not executed:
        yield f"{name} is {row['status']} here, but was never executed"
    if row["status"] in ("failed", "cancelled") and executed and not came_back:
        yield f"{name} is {row['status']} here, but the money has moved"
    if scene.finished and executed:
        right = "returned" if came_back else "succeeded"
        if row["status"] != right:
            yield f"{name} is {row['status']} here, {right} at the provider"


def _balances(scene: Scene, payouts: list[Row]) -> Iterator[str]:
    """An insurer's money fell by exactly what succeeded."""
    if not scene.finished:
        return
    for insurer in scene.insurers():
        paid = {"wechat": 0, "bank": 0}
        for row in payouts:
            if row["insurer"] == insurer["code"] and row["status"] == "succeeded":
                paid[row["channel"]] += row["amount_fen"]
        yield from _fell(insurer["code"], "merchant balance", _merchant_fell(scene, insurer["code"]), paid["wechat"])
        if scene.has(scene.bank):
            account = scene.state(scene.bank, "accounts").get(insurer["bank_account"])
            fell = BANK_OPENING_FEN - account["balance_fen"] if account else None
            yield from _fell(insurer["code"], "bank account", fell, paid["bank"])


def _merchant_fell(scene: Scene, owner: str) -> int | None:
    """By how much the account that transfers are paid from fell, what was put into it aside."""
    merchant = next((row for row in scene.merchants() if row["owner"] == owner), None)
    if merchant is None or not scene.has("wechat"):
        return None
    mchid = merchant["mchid"]
    now = scene.ask("wechat", f"merchants/{mchid}")["OPERATION"]["balance_fen"]
    entries = scene.state("wechat", "entry").values()
    topped_up = [row["fen"] for row in entries if (row["mchid"], row["account"]) == (mchid, "OPERATION")]
    return int(merchant.get("balance_fen", 0) + sum(fen for fen in topped_up if fen > 0) - now)


def _fell(code: str, what: str, fell_fen: int | None, paid_fen: int) -> Iterator[str]:
    if fell_fen is not None and fell_fen != paid_fen:
        yield f"the {what} of {code} fell by {fell_fen} fen, {paid_fen} were paid out"


def _told(scene: Scene, payouts: list[Row]) -> Iterator[str]:
    """The insurer knows of every payout that ended, with its amount and end."""
    ends = {"succeeded": "succeeded", "returned": "returned", "failed": "failed"}
    for insurer in scene.insurers() if scene.finished else ():
        code = insurer["code"]
        if not scene.has(code):
            continue
        cases: Mapping[str, Row] = scene.state(code, "cases")
        for row in payouts:
            if row["insurer"] != code or row["status"] not in ends:
                continue
            told = cases.get(row["claim_no"], {"payouts": {}})["payouts"].get(row["out_no"])
            if told is None or (told["amount_fen"], told["status"]) != (row["amount_fen"], ends[row["status"]]):
                yield f"payout {row['out_no']} is {row['status']} here, {code} was told {told and told['status']}"
