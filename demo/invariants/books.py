"""The three parties' books of a business date, each from its own place: the hospitals' cashiers and counters, the
platform's clearing rows, the insurers' own tables with what was altered in them.

Nothing of what the platform collected in the night is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from demo.invariants.scene import Row, Scene

HOSPITAL, PLATFORM, INSURER = ROLES = ("hospital", "platform", "insurer")
# The parties' own words for a row that stands, and for one that was undone.
_WORDS = {
    HOSPITAL: {"1": "ok", "2": "undone", "3": "undone", "0": "open"},
    PLATFORM: {"ok": "ok"},
    INSURER: {"booked": "ok", "void": "undone"},
}
_PLATFORM = """
SELECT r.clearing_no, r.kind, r.borne_fen, h.code AS hospital, i.code AS insurer, b.key
FROM claim_bill r JOIN bill b ON b.id = r.bill_id
JOIN party h ON h.id = r.hospital_id JOIN party i ON i.id = r.insurer_id
WHERE r.business_date = %(day)s AND r.booked_at IS NOT NULL ORDER BY r.ordinal
"""
_CASHIER = "SELECT jsdh AS key, grzf AS yuan, zt AS status FROM sf_szz WHERE jsdh = ANY(%(keys)s)"
_COUNTER = "SELECT qsh AS clearing_no, lx AS kind, je AS yuan, zt AS status FROM gt_lp WHERE ywrq = %(day)s"


@dataclass(frozen=True)
class Entry:
    """One row as a party says it; `status` in our words, with `reverse:` before it where the row takes one back."""

    clearing_no: str
    amount_fen: int
    status: str
    party: str = ""


@dataclass
class Book:
    """All entries of one role. `rows` has the first of each number; the rest are duplicates or bad."""

    rows: dict[str, Entry] = field(default_factory=dict)
    duplicates: list[Entry] = field(default_factory=list)
    bad: list[Entry] = field(default_factory=list)

    @property
    def declared(self) -> int:
        return len(self.rows) + len(self.duplicates) + len(self.bad)


def books(scene: Scene) -> dict[str, Book]:
    day = scene.world["business_date"]
    platform = scene.rows(_PLATFORM, day=day)
    owners = {row["clearing_no"]: (row["hospital"], row["insurer"]) for row in platform}
    entries = {
        HOSPITAL: list(_hospitals(scene, day, platform)),
        PLATFORM: [_entry(PLATFORM, row, row["borne_fen"], "ok") for row in platform],
        INSURER: list(_insurers(scene, day)),
    }
    return {role: _book(role, entries[role], owners) for role in ROLES}


def _book(role: str, entries: Iterable[Entry], owners: Mapping[str, tuple[str, str]]) -> Book:
    book = Book()
    for entry in entries:
        hospital, insurer = owners.get(entry.clearing_no, ("", ""))
        owner = {HOSPITAL: hospital, INSURER: insurer}.get(role, "")
        if not _is_number(entry.clearing_no) or entry.amount_fen < 0 or (owner and owner != entry.party):
            book.bad.append(entry)
        elif entry.clearing_no in book.rows:
            book.duplicates.append(entry)
        else:
            book.rows[entry.clearing_no] = entry
    return book


def _hospitals(scene: Scene, day: str, platform: list[Row]) -> Iterator[Entry]:
    """For each number that a hospital was told, what its cashier's book says now; then its counter's own rows."""
    for hospital in scene.hospitals():
        code = str(hospital["code"])
        told = [row for row in platform if row["hospital"] == code]
        cashier = {row["key"]: row for row in scene.his_rows(hospital, _CASHIER, keys=[row["key"] for row in told])}
        for row in told:
            if said := cashier.get(row["key"]):
                yield _entry(HOSPITAL, row, _fen(said["yuan"]), said["status"], code)
        for row in scene.his_rows(hospital, _COUNTER, day=day):
            kind = "reverse" if row["kind"] == "2" else "pay"
            yield _entry(HOSPITAL, {**row, "kind": kind}, _fen(row["yuan"]), row["status"], code)


def _insurers(scene: Scene, day: str) -> Iterator[Entry]:
    """An insurer's rows are of the date inside their numbers; alterations lie over them."""
    compact = day.replace("-", "")
    for insurer in scene.insurers():
        code = str(insurer["code"])
        rows: dict[str, dict[str, Any]] = dict(scene.state(code, "books"))
        for altered in scene.ask(code, "altered") if scene.has(code) else ():
            number = altered["clearing_no"]
            if altered["after"] is None:
                rows.pop(number, None)
            else:
                rows[number] = {"clearing_no": number, "kind": "pay", **rows.get(number, {}), **altered["after"]}
        for number in sorted(rows):
            if number.startswith(compact):
                yield _entry(INSURER, rows[number], rows[number]["amount_fen"], rows[number]["status"], code)


def _entry(role: str, row: Mapping[str, Any], amount_fen: int, status: str, party: str = "") -> Entry:
    word = _WORDS[role].get(status, status)
    return Entry(row["clearing_no"], amount_fen, word if row["kind"] == "pay" else f"{row['kind']}:{word}", party)


def _fen(yuan: Decimal) -> int:
    return int(yuan * 100)


def _is_number(number: str) -> bool:
    """19 digits with a right check digit (ISO/IEC 7812-1, Luhn)."""
    if len(number) != 19 or not (number.isascii() and number.isdigit()):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
