"""What the source's optimiser would do for a statement: which large tables would it read row by row?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable

LARGE = 10_000
"""Rows; of a smaller table the optimiser may rightly read all."""

_WHOLE = frozenset({"ALL", "index"})
"""Ways of MySQL and MariaDB to read a table: all of it, or all of an index."""


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: sa.Select[Any]) -> None:
        self.statement = statement


@compiles(_Explain, "postgresql")
def _postgresql(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON, VERBOSE) " + compiler.process(element.statement, **options)


@compiles(_Explain, "mysql")
@compiles(_Explain, "mariadb")
def _mysql(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:
    return "EXPLAIN " + compiler.process(element.statement, **options)


def read_whole(connection: Connection, statement: sa.Select[Any], parameters: Mapping[str, Any]) -> list[str]:
    """Names of large tables that no index serves. Nothing on databases that have no EXPLAIN to be read like a query."""
    match connection.dialect.name:
        case "postgresql":
            return _on_postgresql(connection, statement, parameters)
        case "mysql" | "mariadb":
            rows = connection.execute(_Explain(statement), parameters).mappings()
            return sorted({str(r["table"]) for r in rows if r["type"] in _WHOLE and int(r["rows"] or 0) >= LARGE})
    return []


def _on_postgresql(connection: Connection, statement: sa.Select[Any], parameters: Mapping[str, Any]) -> list[str]:
    """Without sequential scans the plan shows one only where there is no other way."""
    connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
    (plan,) = connection.execute(_Explain(statement), parameters).scalar_one()
    connection.execute(sa.text("SET LOCAL enable_seqscan = on"))
    scanned = {(n["Schema"], n["Relation Name"]) for n in _nodes(plan["Plan"]) if _is_whole(n)}
    size = sa.text(
        "SELECT reltuples FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = :schema AND relname = :name"
    )
    found = {name: connection.scalar(size, {"schema": schema, "name": name}) for schema, name in scanned}
    return sorted(name for name, rows in found.items() if rows >= LARGE)


def _is_whole(node: Mapping[str, Any]) -> bool:
    by_index = node["Node Type"] in ("Index Scan", "Index Only Scan")
    return node["Node Type"].endswith("Seq Scan") or (by_index and "Index Cond" not in node)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
