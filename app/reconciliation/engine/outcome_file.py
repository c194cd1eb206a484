"""An outcome as bytes, from the worker that compared a part of a night to the one that puts the parts together."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl

from app.reconciliation.engine.outcome import Outcome, PartyCount, Statement, Totals

_FRAMES = ("differences", "duplicate_rows", "bad_rows")
_FIGURES = "figures.json"


def dump(outcome: Outcome) -> bytes:
    """A zip of one JSON file with the figures and a Parquet file for each of the frames."""
    figures = {
        "day": outcome.day.isoformat(),
        "overall": asdict(outcome.overall),
        "groups": [[*names, asdict(statement)] for names, statement in outcome.groups.items()],
        "parties": {party: asdict(count) for party, count in outcome.parties.items()},
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(_FIGURES, json.dumps(figures))
        for name in _FRAMES:
            with archive.open(name, "w", force_zip64=True) as file:
                getattr(outcome, name).write_parquet(file)
    return content.getvalue()


def load(content: bytes) -> Outcome:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        figures = json.loads(archive.read(_FIGURES))
        frames = {name: pl.read_parquet(archive.read(name)) for name in _FRAMES}
    return Outcome(
        day=date.fromisoformat(figures["day"]),
        overall=_statement(figures["overall"]),
        groups={(hospital, insurer): _statement(said) for hospital, insurer, said in figures["groups"]},
        parties={party: PartyCount(**count) for party, count in figures["parties"].items()},
        **frames,
    )


def _statement(said: dict[str, Any]) -> Statement:
    return Statement(
        said["sets"],
        said["amount_differs"],
        said["status_differs"],
        {scope: Totals(**totals) for scope, totals in said["totals"].items()},
    )
