"""Three ledger files that differ as real ones do; seeded, so every arm and every run sees the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

PARTIES = ("hospital", "platform", "insurer")
DAY = date(2026, 11, 21)
EVE = date(2026, 11, 20)
DROPPED, AMOUNT_CHANGED, STATUS_CHANGED, FOREIGN, REPEATED = 0.005, 0.002, 0.0005, 0.001, 0.0001


def make_files(directory: Path, rows: int, seed: int = 1) -> dict[str, Path]:
    """About `rows` rows a file: 0.5 % dropped, 0.2 % other amounts, 0.05 % other statuses, 0.1 % numbers of the eve,
    0.01 % rows that come twice."""
    random = np.random.default_rng(seed)
    numbers = _numbers(DAY, rows)
    amounts = random.integers(1, 2_000_000, rows)
    failed = random.random(rows) < 0.02
    paths = {}
    for party in PARTIES:
        changed, turned = random.random(rows) < AMOUNT_CHANGED, random.random(rows) < STATUS_CHANGED
        kept = np.flatnonzero(random.random(rows) >= DROPPED)
        kept = np.sort(np.concatenate([kept, random.choice(kept, int(rows * REPEATED))]))
        own = pl.DataFrame({"clearing_no": numbers, "amount_fen": amounts + changed, "failed": failed ^ turned})[kept]
        eve = np.flatnonzero(random.random(rows // 100) < FOREIGN * 100)
        foreign = pl.DataFrame({"clearing_no": _numbers(EVE, rows // 100)[eve], "amount_fen": 500 + eve})
        foreign = foreign.with_columns(failed=pl.lit(False))
        status = pl.when("failed").then(pl.lit("failed")).otherwise(pl.lit("success"))
        paths[party] = directory / f"{party}.csv"
        pl.concat([own, foreign]).select("clearing_no", "amount_fen", status=status).write_csv(paths[party])
    return paths


def _numbers(day: date, count: int) -> np.ndarray:
    """The first `count` clearing numbers of a day; the Luhn digit by the book, one digit at a time."""
    bodies = int(f"{day:%Y%m%d}") * 10**10 + np.arange(count, dtype=np.int64)
    rest, sums = bodies.copy(), np.zeros(count, dtype=np.int64)
    for place in range(18):
        digits = rest % 10 * (2 - place % 2)
        sums += digits // 10 + digits % 10
        rest //= 10
    return bodies * 10 + -sums % 10
