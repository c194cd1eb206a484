"""Claims up to the insurer's desk, and the insurer's messages as its program signs them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.clock import Clock
from tests.app.town import Insured, Town, configure

_numbers = itertools.count(1)
NEVER_S = 3600.0


def at_the_insurer(town: Town, who: Insured, *amounts: int, code: str = "I1", **wanted: Any) -> str:
    """A claim of one bill that the insurer has taken in and does not decide by itself; its id."""
    configure(town.insurers[code], delay_s=NEVER_S)
    town.policy(who, code)
    claim_id = town.claim(who, [town.bill(who, amounts or (6_000, 4_000))], code, **wanted)
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    assert town.status(claim_id) == "adjudicating"
    return claim_id


def lines_of(town: Town, claim_id: str) -> list[dict[str, Any]]:
    """Every fee line of the claim, approved as billed."""
    found = town.rows(
        "SELECT b.clearing_no, l.line_no, l.amount_fen FROM claim_bill b JOIN fee_line l ON l.bill_id = b.bill_id"
        " WHERE b.claim_id = :id AND b.kind = 'pay' ORDER BY b.clearing_no, l.line_no",
        id=claim_id,
    )
    return [
        {
            "clearing_no": row.clearing_no, "line_no": row.line_no, "billed_fen": row.amount_fen,
            "covered_fen": row.amount_fen, "deductible_fen": 0, "ratio": "1", "approved_fen": row.amount_fen,
            "reasons": [],
        }
        for row in found
    ]  # fmt: skip


def cut(line: dict[str, Any], amount_fen: int, code: str = "ceiling") -> dict[str, Any]:
    """The line, with so much taken away after the ratio."""
    reason = {"code": code, "text": "超出剩余保额", "cap_fen": amount_fen}
    return line | {"approved_fen": line["approved_fen"] - amount_fen, "reasons": [reason]}


def declined(line: dict[str, Any]) -> dict[str, Any]:
    reason = {"code": "medical_necessity", "text": "现有病历不足以说明该项目的医疗必要性"}
    return line | {"covered_fen": 0, "approved_fen": 0, "reasons": [reason]}


def decision(town: Town, claim_id: str, **wrong: Any) -> dict[str, Any]:
    """A decision that approves everything, with some of it replaced."""
    lines = wrong.pop("lines", None) or lines_of(town, claim_id)
    approved = sum(line["approved_fen"] for line in lines)
    [(claim_no, case_no)] = town.rows("SELECT no, case_no FROM claim WHERE id = :id", id=claim_id)
    return {
        "claim_no": claim_no,
        "case_no": case_no,
        "decision_no": f"D{next(_numbers)}",
        "outcome": "approved" if approved else "rejected",
        "lines": lines,
        "approved_fen": approved,
        "appealable": True,
    } | wrong


def say(town: Town, kind: str, data: dict[str, Any], *, code: str = "I1") -> None:
    """The insurer's program sends a message, and it is worked on."""
    town.agent(code).ok("/messages", {"type": kind, "data": data})
    town.drain_all(kind)


@dataclass(frozen=True)
class LaterClock(Clock):
    by: timedelta = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by


@contextmanager
def in_days(town: Town, days: float) -> Iterator[None]:
    """Inside, the product's clock is so many days ahead. Logins do not last so long, and signatures neither."""
    today = town.runtime.clock
    town.runtime.clock = LaterClock(by=timedelta(days=days))
    try:
        yield
    finally:
        town.runtime.clock = today


def mark_late(town: Town) -> None:
    with town.runtime.work() as work:
        work.later("claim.late", None)
    town.drain_all("claim.late")


def feed(town: Town, kind: str, code: str = "I1") -> list[dict[str, Any]]:
    """What the insurer's feed says under one type, oldest first."""
    changes, cursor = [], 0
    while more := town.agent(code).ok("/changes/poll", {"cursor": cursor, "max": 200, "wait_ms": 0})["changes"]:
        changes += more
        cursor = more[-1]["cursor"]
    return [change["data"] for change in changes if change["type"] == kind]


def fed(town: Town, kind: str, claim_id: str, code: str = "I1") -> list[dict[str, Any]]:
    """The same of one claim."""
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    return [data for data in feed(town, kind, code) if data.get("claim_no") == no]


def adjudicate(town: Town, claim_id: str, *, code: str = "I1", **wrong: Any) -> dict[str, Any]:
    said = decision(town, claim_id, **wrong)
    say(town, "claim.adjudicated", said, code=code)
    return said


def decide(town: Town, claim_id: str, *, code: str = "I1", **how: Any) -> dict[str, Any]:
    """As `adjudicate`, and the insurer's double knows that it has decided so itself."""
    town.drain_all("claim.tell_appeal")
    said = decision(town, claim_id, **how)
    book = town.insurers[code].book
    case = book.case(said["claim_no"])
    state = "intake" if said["outcome"] == "interim" else "decided"
    book.save(case | {"state": state, "decisions": [*case["decisions"], said]})
    say(town, "claim.adjudicated", said, code=code)
    return said


def set_status(town: Town, claim_id: str, status: str) -> None:
    with town.runtime.work() as work:
        work.session.execute(text("UPDATE claim SET status = :s WHERE id = :id"), {"s": status, "id": claim_id})


def clearing_rows(town: Town, claim_id: str) -> list[tuple[Any, ...]]:
    """(kind, live, booked, approved_fen) of a claim's rows."""
    found = town.rows(
        "SELECT kind, live, booked_at IS NOT NULL, approved_fen FROM claim_bill WHERE claim_id = :id ORDER BY ordinal",
        id=claim_id,
    )
    return [tuple(row) for row in found]


def guards(town: Town, claim_id: str) -> int:
    return int(town.value("SELECT count(*) FROM e_bill_guard WHERE claim_id = :id", id=UUID(claim_id)))


def told_hospital(town: Town, claim_id: str) -> int:
    """How many clearing numbers of this claim the hospital's agent was told, or is to be told."""
    return int(
        town.value(
            "SELECT count(*) FROM command JOIN claim_bill ON claim_bill.id = command.subject"
            " WHERE command.kind = 'clearing' AND claim_id = :id",
            id=claim_id,
        )
    )


def journal(town: Town, code: str, path: str) -> list[dict[str, Any]]:
    return [entry for entry in town.insurers[code].journal if entry["path"].endswith(path)]


def booked(town: Town, claim_id: str, code: str = "I1") -> list[tuple[str, int]]:
    """(kind, fen) in the insurer's own book about this claim, in order."""
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    rows = town.insurers[code].memory.load("books").values()
    return [(row["kind"], row["amount_fen"]) for row in rows if row.get("claim_no") == no]
