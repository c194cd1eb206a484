"""The other ways to answer the same question: DuckDB, Polars, the published method, and reading alone as the floor.

Rivals do what their users would accept: the first row of a number counts, amounts and statuses are compared, sets and
totals are right, every difference is stored; check digits are not looked at.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
import psycopg
from redis import Redis

PARTIES = ("hospital", "platform", "insurer")
SETS = ("111", "110", "101", "100", "011", "010", "001")
Paths = Mapping[str, Path]
Answer = dict[str, object]

DIFFERENCES_TABLE = """
CREATE TABLE IF NOT EXISTS bench_difference (
    clearing_no bigint, hospital_fen bigint, hospital_status text, platform_fen bigint, platform_status text,
    insurer_fen bigint, insurer_status text)"""
_COLUMNS = ["clearing_no", *(f"{party}_{what}" for party in PARTIES for what in ("fen", "status"))]


def store(connection: psycopg.Connection, csv: bytes) -> None:
    """Every arm stores its differences in the same way: one COPY, one commit."""
    with connection.transaction():
        connection.execute("TRUNCATE bench_difference")
        with connection.cursor().copy("COPY bench_difference FROM STDIN (FORMAT csv)") as copy:
            copy.write(csv)


def as_csv(differences: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    differences.select(_COLUMNS).write_csv(buffer, include_header=False)
    return buffer.getvalue()


def floor(paths: Paths) -> None:
    for path in paths.values():
        pl.read_csv(path)


def by_polars(paths: Paths, connection: psycopg.Connection) -> Answer:
    books = []
    for party in PARTIES:
        book = pl.read_csv(paths[party])
        if book["clearing_no"].n_unique() < len(book):
            book = book.unique("clearing_no", keep="first")
        books.append(book.rename({"amount_fen": f"{party}_fen", "status": f"{party}_status"}))
    hospital, platform, insurer = books
    joined = hospital.join(platform, on="clearing_no", how="full", coalesce=True)
    joined = joined.join(insurer, on="clearing_no", how="full", coalesce=True)
    agree = pl.all_horizontal(
        pl.col(f"hospital_{what}").eq_missing(pl.col(f"{party}_{what}"))
        for party in ("platform", "insurer")
        for what in ("fen", "status")
    )
    differences = joined.filter(~agree)
    store(connection, as_csv(differences))
    agreed_fen = _sum(platform["platform_fen"]) - _sum(differences["platform_fen"])
    agreed = len(platform) - differences["platform_fen"].count()
    return _answer(agreed, agreed_fen, differences)


_DUCKDB_BOOKS = """
CREATE OR REPLACE TEMP TABLE {party} AS
    SELECT clearing_no, amount_fen, status FROM read_csv('{path}',
        columns = {{'clearing_no': 'BIGINT', 'amount_fen': 'BIGINT', 'status': 'VARCHAR'}}, header = true);
DELETE FROM {party} USING (
    SELECT clearing_no, min(rowid) AS first FROM {party} GROUP BY clearing_no HAVING count(*) > 1) AS repeated
    WHERE {party}.clearing_no = repeated.clearing_no AND {party}.rowid > repeated.first;
"""
_DUCKDB_DIFFERENCES = """
CREATE OR REPLACE TEMP TABLE difference AS SELECT * FROM (
    SELECT clearing_no, h.amount_fen AS hospital_fen, h.status AS hospital_status, p.amount_fen AS platform_fen,
        p.status AS platform_status, i.amount_fen AS insurer_fen, i.status AS insurer_status
    FROM hospital h FULL JOIN platform p USING (clearing_no) FULL JOIN insurer i USING (clearing_no))
WHERE hospital_fen IS DISTINCT FROM platform_fen OR platform_fen IS DISTINCT FROM insurer_fen
    OR hospital_status IS DISTINCT FROM platform_status OR platform_status IS DISTINCT FROM insurer_status;
"""


def by_duckdb(paths: Paths, connection: psycopg.Connection) -> Answer:
    with duckdb.connect() as database:
        database.execute("SET enable_progress_bar = false")
        for party in PARTIES:
            database.execute(_DUCKDB_BOOKS.format(party=party, path=paths[party]))
        database.execute(_DUCKDB_DIFFERENCES)
        target = paths["hospital"].with_name("duckdb.csv")
        database.execute(f"COPY difference TO '{target}' (FORMAT csv, HEADER false)")
        store(connection, target.read_bytes())
        sums = "SELECT sum(amount_fen), count(*) FROM platform"
        [(fen, count)] = database.execute(sums).fetchall()
    schema = {name: pl.String if name.endswith("status") else pl.Int64 for name in _COLUMNS}
    differences = pl.read_csv(target, has_header=False, schema=schema)
    agreed = count - differences["platform_fen"].count()
    return _answer(agreed, int(fen) - _sum(differences["platform_fen"]), differences)


def _answer(agreed: int, agreed_fen: int, differences: pl.DataFrame) -> Answer:
    """Sets, differing amounts and statuses, and the three totals, from what does not agree and the sum of what does."""
    marks = [pl.when(pl.col(f"{party}_fen").is_null()).then(pl.lit("0")).otherwise(pl.lit("1")) for party in PARTIES]
    sets = dict(differences.select(pl.concat_str(marks).alias("set")).group_by("set").len().iter_rows())
    totals = {
        "hospital_platform": _totals(agreed, agreed_fen, differences, ("platform", "hospital")),
        "platform_insurer": _totals(agreed, agreed_fen, differences, ("platform", "insurer")),
        "three_party": _totals(agreed, agreed_fen, differences, ("platform", "insurer", "hospital")),
    }
    return {
        "sets": {name: sets.get(name, 0) + (agreed if name == "111" else 0) for name in SETS},
        "amount_differs": differences.select(_differs("fen")).to_series().sum(),
        "status_differs": differences.select(_differs("status")).to_series().sum(),
        "totals": totals,
    }


def _sum(column: pl.Series) -> int:
    return int(column.sum())


def _differs(what: str) -> pl.Expr:
    pairs = itertools.combinations([pl.col(f"{party}_{what}") for party in PARTIES], 2)
    return pl.any_horizontal(one != other for one, other in pairs)


def _totals(agreed: int, agreed_fen: int, differences: pl.DataFrame, parties: tuple[str, ...]) -> dict[str, int]:
    amount = pl.coalesce(f"{party}_fen" for party in parties)
    same = [
        pl.col(f"platform_{what}") == pl.col(f"{party}_{what}") for party in parties[1:] for what in ("fen", "status")
    ]
    rows = differences.select(amount=amount, success=pl.all_horizontal(same)).drop_nulls("amount")
    success = rows.filter("success")["amount"]
    return {
        "count": agreed + len(rows),
        "amount_fen": agreed_fen + _sum(rows["amount"]),
        "success_count": agreed + len(success),
        "success_amount_fen": agreed_fen + _sum(success),
        "failure_count": len(rows) - len(success),
        "failure_amount_fen": _sum(rows["amount"]) - _sum(success),
    }


def by_source(paths: Paths, redis: Redis) -> dict[str, int]:
    """The published method: one SADD per record, pipelines of a thousand, then SINTER and SDIFF. Presence only."""
    keys = [f"bench:{party}" for party in PARTIES]
    for party, key in zip(PARTIES, keys, strict=True):
        numbers = iter(pl.read_csv(paths[party], columns=["clearing_no"])["clearing_no"])
        while batch := list(itertools.islice(numbers, 1000)):
            pipeline = redis.pipeline(transaction=False)
            for number in batch:
                pipeline.sadd(key, number)
            pipeline.execute()
    sets = {}
    for marks in SETS:
        at = [key for key, mark in zip(keys, marks, strict=True) if mark == "1"]
        not_at = [key for key, mark in zip(keys, marks, strict=True) if mark == "0"]
        redis.sinterstore("bench:at", at)
        sets[marks] = redis.sdiffstore("bench:set", ["bench:at", *not_at])
    redis.unlink(*keys, "bench:at", "bench:set")
    return sets
