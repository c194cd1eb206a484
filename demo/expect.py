"""What the day must come to, worked out from the hospitals' data alone: from a Synthea sample's CSV files, or from what
the generator put into the built-in hospitals. Shares no code with the product, the doubles or the driver.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

People = Sequence[Mapping[str, Any]]
# Cases that as many people show as are planned to; the others follow from amounts.
PLANNED = (
    "rejection",
    "not_insured",
    "documents_asked",
    "line_appeal",
    "withdrawal",
    "unconfirmed_transfer",
    "counter_visit",
    "refund",
    "reversed_ebill",
    "two_policies",
    "guardian",
)
_BUILTIN = {
    "encounters_pushed": "SELECT count(*) FROM jz_jl",
    "fee_lines_pushed": "SELECT count(*) FROM sf_mx",
    "bills": "SELECT count(*) FROM sf_jsd",
    "bills_refused": """
        SELECT count(*) FROM sf_jsd
        WHERE zt = '1' AND zje <> coalesce(tczf, 0) + coalesce(zhzf, 0) + coalesce(grzf, 0)""",
}


def expected(people: People, records: Mapping[str, int]) -> dict[str, int]:
    """Name in the result -> number. `records` says what the hospitals hold at the end of the day."""
    living = [person for person in people if person["alive"]]
    cases = Counter(case for person in living for case in person["cases"])
    submitted = sum(len(person["claims"]) for person in living) + cases["not_insured"]
    return {
        **dict.fromkeys(("patients", "bound", "appointments", "registered", "trials"), len(living)),
        "settled": len(living) - cases["refund"],
        "claims.submitted": submitted,
        "claims.rejected": cases["rejection"],
        "claims.approved": submitted - cases["not_insured"] - cases["rejection"] - cases["withdrawal"],
        **{f"cases.{case}": cases[case] for case in PLANNED},
        **records,
    }


def builtin_records(his_database_urls: Iterable[str]) -> dict[str, int]:
    """What the built-in hospitals' own tables hold now."""
    totals: Counter[str] = Counter()
    for url in his_database_urls:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as db:
            for name, sql in _BUILTIN.items():
                row = db.execute(sql.encode()).fetchone()
                totals[name] += int(row[0]) if row else 0
    return dict(totals)


def synthea_records(folder: Path, his_database_url: str) -> dict[str, int]:
    """The sample's own rows, and those of the visits that the hospitals have added to its tables today."""
    claims = {row["Id"]: row for row in _read(folder, "claims")}
    charged: dict[str, Decimal] = defaultdict(Decimal)
    paid: dict[str, Decimal] = defaultdict(Decimal)
    lines = 0
    for row in _read(folder, "claims_transactions"):
        if row["TYPE"] == "CHARGE":
            charged[row["CLAIMID"]] += Decimal(row["AMOUNT"] or 0)
            lines += 1
        elif row["TYPE"] == "PAYMENT":
            paid[row["CLAIMID"]] += Decimal(row["PAYMENTS"] or 0)
    billed = {row["APPOINTMENTID"] for row in claims.values()}
    counted = {
        "encounters_pushed": sum(row["Id"] in billed for row in _read(folder, "encounters")),
        "fee_lines_pushed": lines,
        "bills": len(claims),
        "bills_refused": sum(charged[claim] != paid[claim] for claim in claims),
    }
    today = _added(his_database_url, claims.keys())
    return {name: number + today.get(name, 0) for name, number in counted.items()}


def _added(his_database_url: str, known: Collection[str]) -> dict[str, int]:
    """One visit and one bill for each claim that the sample does not hold, and its charges."""
    with psycopg.connect(his_database_url.replace("postgresql+psycopg://", "postgresql://", 1)) as db:
        new = [claim for (claim,) in db.execute('SELECT "Id" FROM claims') if claim not in known]
        charges = 'SELECT count(*) FROM claims_transactions WHERE "TYPE" = %s AND "CLAIMID" = ANY(%s)'
        lines = db.execute(charges, ["CHARGE", new]).fetchone()
    return {"encounters_pushed": len(new), "bills": len(new), "fee_lines_pushed": int(lines[0]) if lines else 0}


def _read(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
