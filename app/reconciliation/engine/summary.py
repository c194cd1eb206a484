"""An outcome as JSON for programs and as a few lines of text for people."""

from __future__ import annotations

from typing import Any

from app.core.money import yuan
from app.reconciliation.engine.ledger import PARTIES
from app.reconciliation.engine.outcome import PAIRS, Outcome


def as_json(outcome: Outcome) -> dict[str, object]:
    """Counts and totals, and the lines of duplicates and bad rows; differences themselves are `outcome.differences`."""
    overall = outcome.overall
    duplicates = outcome.duplicate_rows.select("party", "clearing_no", "line")
    return {
        "date": f"{outcome.day:%Y-%m-%d}",
        "sets": overall.sets,
        "pairs": {name: _pair(name, overall.pair(name)) for name in PAIRS},
        "amount_differs": overall.amount_differs,
        "status_differs": overall.status_differs,
        "rows": {party: outcome.parties[party].rows for party in PARTIES},
        "duplicates": {party: outcome.parties[party].duplicates for party in PARTIES},
        "duplicate_rows": {party: outcome.parties[party].duplicate_rows for party in PARTIES},
        "bad_rows": {party: outcome.parties[party].bad_rows for party in PARTIES},
        "totals": {scope: totals.as_json() for scope, totals in overall.totals.items()},
        "duplicate_lines": duplicates.to_dicts(),
        "bad_lines": outcome.bad_rows.select("party", "line", "reason").to_dicts(),
    }


def pair_as_json(outcome: Outcome, parties: tuple[str, ...]) -> dict[str, object]:
    """Of a comparison in which the third party took no part: what concerns the pair alone, and nothing about sets."""
    whole: dict[str, Any] = as_json(outcome)
    name = next(pair for pair, concerned in PAIRS.items() if set(concerned) == set(parties))
    counted = ("rows", "duplicates", "duplicate_rows", "bad_rows")
    return {
        "date": whole["date"],
        "pairs": {name: whole["pairs"][name]},
        "amount_differs": whole["amount_differs"],
        "status_differs": whole["status_differs"],
        **{what: {party: whole[what][party] for party in parties} for what in counted},
        "totals": {name: whole["totals"][name]},
        "duplicate_lines": whole["duplicate_lines"],
        "bad_lines": whole["bad_lines"],
    }


def _pair(name: str, counts: tuple[int, int, int]) -> dict[str, int]:
    first, second = PAIRS[name]
    return dict(zip((f"only_{first}", f"only_{second}", "both"), counts, strict=True))


def as_text(outcome: Outcome) -> str:
    overall, lines = outcome.overall, [f"business date {outcome.day:%Y-%m-%d}"]
    lines += [f"  {name} (hospital, platform, insurer): {count}" for name, count in overall.sets.items()]
    lines.append(f"  amount differs: {overall.amount_differs}, status differs: {overall.status_differs}")
    for party, count in outcome.parties.items():
        lines.append(
            f"  {party}: {count.rows} rows = {count.distinct} numbers"
            f" + {count.duplicate_rows} repeated + {count.bad_rows} bad"
        )
    for scope, totals in overall.totals.items():
        lines.append(
            f"  {scope}: {totals.count} rows of {yuan(totals.amount_fen)} yuan,"
            f" {totals.success_count} of {yuan(totals.success_amount_fen)} agree,"
            f" {totals.failure_count} of {yuan(totals.failure_amount_fen)} do not"
        )
    return "\n".join(lines)
