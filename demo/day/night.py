"""The night: hospitals and insurers have altered rows of their own, and the reconciliation has to find all of it.
WeChat Pay and the bank have altered nothing, and have to agree."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from demo.day import funds
from demo.day.context import Day, Wish
from demo.day.http import DayBroken, until
from demo.day.visits import bills_of
from demo.numbers import with_luhn

RUN_PATIENCE_S = 90.0
ENDED = ("balanced", "differences", "blocked")
FIRST_FOREIGN_ORDINAL = 9_000_000_000


@dataclass(frozen=True)
class Clearing:
    """One row that all three parties hold: a bill in a claim."""

    number: str
    hospital: str
    insurer: str
    bill_key: str


@dataclass
class Books:
    """What one party is told to do to its own books."""

    drop: list[str] = field(default_factory=list)
    add: list[dict[str, Any]] = field(default_factory=list)
    amount: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)


def reconcile(day: Day) -> None:
    rows = _clearings(day)
    _wait_booked(day)
    _alter(day, rows)
    finance = day.operator("finance")
    wanted = {"business_date": day.date, "wait_s": int(RUN_PATIENCE_S)}
    run = finance.post("/api/v1/operator/reconciliation/runs", wanted)

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = finance.get(f"/api/v1/operator/reconciliation/runs/{run['id']}")
        return found if found["status"] in ENDED else None

    done = until("reconciliation", ended, timeout_s=RUN_PATIENCE_S)
    if done["status"] == "blocked":
        reasons = {party["code"]: party["blocked_code"] for party in done["parties"] if party["blocked_code"]}
        raise DayBroken(f"the reconciliation was blocked: {reasons}")
    _wait_reports(day)
    funds.reconcile(day)


def _clearings(day: Day) -> list[Clearing]:
    """The day's clearing rows as the patients see them, of claims that an insurer has taken in."""
    return [row for rows in day.for_each(_clearings_of, day.wishes) for row in rows]


def _clearings_of(wish: Wish) -> list[Clearing]:
    wish.claim = wish.patient.api.get(f"/api/v1/claims/{wish.claim['id']}")
    if not wish.claim["case_no"]:
        return []
    keys = {bill["id"]: key for key, bill in bills_of(wish.patient).items()}
    hospital = wish.patient.hospital
    return [Clearing(b["clearing_no"], hospital, wish.insurer, keys[b["bill_id"]]) for b in wish.claim["bills"]]


def _wait_booked(day: Day) -> None:
    """Nothing is on its way any more: the insurers have thought, and taken every message."""
    for insurer in day.stack.world["insurers"]:
        double = day.double(insurer["code"])
        until(f"{insurer['code']} idle", lambda: double.get("/__mock__/idle")["idle"])  # noqa: B023


def _alter(day: Day, rows: list[Clearing]) -> None:
    """Every set, an amount and a status: rows of their own are dropped, changed and added by the parties.

    Only bills behind one number can be altered at a hospital, because its book knows bills.
    """
    dice = random.Random(f"{day.stack.world['seed']}:{day.date}")
    count = Counter((row.hospital, row.bill_key) for row in rows)
    single = sorted((r for r in rows if count[r.hospital, r.bill_key] == 1), key=lambda row: row.number)
    if len(single) < 6:
        raise DayBroken(f"only {len(single)} clearing rows can be altered")
    only_insurer_lacks, only_hospital_lacks, both_lack, amount, status, other_amount = dice.sample(single, 6)
    world = day.stack.world
    books = {party["code"]: Books() for party in (*world["hospitals"], *world["insurers"])}
    books[only_insurer_lacks.insurer].drop.append(only_insurer_lacks.number)
    books[only_hospital_lacks.hospital].drop.append(only_hospital_lacks.number)
    books[both_lack.hospital].drop.append(both_lack.number)
    books[both_lack.insurer].drop.append(both_lack.number)
    books[amount.insurer].amount.append(amount.number)
    books[other_amount.hospital].amount.append(other_amount.number)
    books[status.insurer].status.append(status.number)
    foreign = [_foreign(day, dice) for _ in range(3)]
    hospital, insurer = dice.choice(single).hospital, dice.choice(single).insurer
    books[insurer].add.append(foreign[0])
    books[hospital].add.append(foreign[1])
    books[insurer].add.append(foreign[2])
    books[hospital].add.append(foreign[2])
    for code, told in books.items():
        _tell(day, code, told, [row for row in rows if row.hospital == code])


def _tell(day: Day, code: str, told: Books, rows: list[Clearing]) -> None:
    if not any(vars(told).values()):
        return
    body = {"business_date": day.date, "seed": day.stack.world["seed"], **vars(told)}
    if rows:
        body["rows"] = [{"clearing_no": row.number, "bill_key": row.bill_key} for row in rows]
    day.double(code).post("/__mock__/alter", body)


def _foreign(day: Day, dice: random.Random) -> dict[str, Any]:
    """A row that the platform never had, under a number with a right check digit."""
    body = day.date.replace("-", "") + f"{dice.randrange(FIRST_FOREIGN_ORDINAL, 10**10):010d}"
    return {"clearing_no": with_luhn(body), "amount_fen": dice.randrange(100, 500_000)}


def _wait_reports(day: Day) -> None:
    """Everybody's report has arrived: mail and SMS at the platform, the hospitals and the insurers."""
    world = day.stack.world
    readers = [world["platform"], *world["hospitals"], *world["insurers"]]
    addresses = {address for reader in readers for address in reader["mails"]}
    phones = {phone for reader in readers for phone in reader["phones"]}

    def arrived() -> bool:
        mails = day.double("mail").get("/__mock__/state/messages").values()
        texts = day.double("sms").get("/__mock__/state/messages").values()
        mailed = {address for mail in mails for address in mail["to"]}
        return addresses <= mailed and phones <= {text["phone"] for text in texts}

    until("reports", arrived, timeout_s=RUN_PATIENCE_S)
