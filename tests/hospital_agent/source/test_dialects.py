"""Each kind of database is read in its own way: really on PostgreSQL and MariaDB, as text for SQL Server and Oracle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType

from hospital_agent.errors import Temporary
from hospital_agent.mapping import reader
from hospital_agent.mapping.model import SourceMapping
from hospital_agent.source import statements
from hospital_agent.source.dialects import is_slow, manners_of
from hospital_agent.source.engine import SourceLink, snapshot
from hospital_agent.source.probe import ActiveSessions
from tests.hospital_agent import mariadb, mariadb_his
from tests.hospital_agent.small_his import DAY

SNAPSHOTS = Path(__file__).parent / "snapshots"
DIALECTS: dict[str, Dialect] = {"mssql": mssql.dialect(), "oracle": oracle.dialect(), "mysql": mysql.dialect()}


@pytest.mark.parametrize("source", ["small", "old"])
def test_a_snapshot_cannot_write(source: str, request: pytest.FixtureRequest) -> None:
    link: SourceLink = request.getfixturevalue(source)
    table = link.mapping.entities["visit"].table
    with pytest.raises(Temporary), snapshot(link.engine, 1_000) as connection:
        connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - a name from our own mapping


@pytest.mark.parametrize(
    ("source", "sleep"), [("small", "SELECT pg_sleep(60)"), ("old", "SELECT count(*) FROM t_sfmx WHERE sleep(1) = 0")]
)
def test_a_statement_has_its_time(source: str, sleep: str, request: pytest.FixtureRequest) -> None:
    link: SourceLink = request.getfixturevalue(source)
    with pytest.raises(Temporary, match="source_slow"), snapshot(link.engine, 200) as connection:
        connection.execute(sa.text(sleep))


def test_one_state_of_the_source_is_seen_on_mariadb(old: SourceLink, old_his: mariadb_his.OldHis) -> None:
    count = sa.text("SELECT count(*) FROM t_qszz")
    with snapshot(old.engine, 1_000) as connection:
        before = connection.scalar(count)
        old_his.run("INSERT INTO t_qszz VALUES ('1', '1', '1.00', '1', now(), '20261121')")
        assert connection.scalar(count) == before == 2


def test_an_account_that_sees_only_itself_finds_no_source_idle(
    old: SourceLink, mariadb_server: mariadb.MariaDb, old_his: mariadb_his.OldHis
) -> None:
    assert ActiveSessions(old.engine, 1_000).is_idle()
    old_his.run(f"REVOKE PROCESS ON *.* FROM {old_his.name}")
    old.engine.dispose()
    assert ActiveSessions(old.engine, 1_000).ask() is None
    assert not ActiveSessions(old.engine, 1_000).is_idle()


def test_a_driver_says_in_its_own_way_that_time_is_up() -> None:
    assert is_slow(Exception(3024, "Query execution was interrupted, maximum statement execution time exceeded"))
    assert is_slow(Exception("HYT00", "[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Query timeout expired"))
    assert is_slow(Exception("DPY-4024: call timeout of 1000 ms exceeded"))
    assert not is_slow(Exception(1146, "Table 'his.jz' doesn't exist"))
    assert not is_slow(Exception())


@pytest.mark.parametrize("name", DIALECTS)
def test_the_generated_sql_is_the_sql_that_was_looked_at(name: str) -> None:
    """A change that is wanted: run it once with SNAPSHOTS=write, and read what it wrote."""
    path = SNAPSHOTS / f"{name}.sql"
    text = "\n".join(_generated(DIALECTS[name]))
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_sql_server_gets_text_as_varchar() -> None:
    """As NVARCHAR it would turn a VARCHAR column into that, row by row, and no index would serve."""
    line = reader.load(mariadb_his.FOLDER / "old_his.mapping.toml").entities["fee_line"]
    binds = statements.where(line, ("jgdm", "djh"), [("H-01", "40")]).compile().binds.values()
    assert all(isinstance(bind.type.dialect_impl(DIALECTS["mssql"]), sa.String) for bind in binds)
    assert all(isinstance(bind.type.dialect_impl(DIALECTS["oracle"]), NullType) for bind in binds)


def _generated(dialect: Dialect) -> Iterator[str]:
    manners = manners_of(dialect)
    yield from ("-- before each transaction", *(s.format(ms=1000, s=1.0, whole_s=1) + ";" for s in manners.statements))
    yield f"-- sessions of others at work{manners.busy_query.rstrip()};"
    yield f"-- may the account write?{manners.writable_query.rstrip()};"
    mapping = reader.load(mariadb_his.FOLDER / "old_his.mapping.toml")
    for what, statement in _asked(mapping).items():
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        lines = (line.rstrip() for line in str(compiled).splitlines())
        yield " ".join([f"-- {what}", *(f"{key}={value}" for key, value in compiled.params.items())])
        yield "\n".join(lines) + ";"
    yield ""


def _asked(mapping: SourceMapping) -> dict[str, sa.Select[object]]:
    visit, bill, line = (mapping.entities[name] for name in ("visit", "bill", "fee_line"))
    own = mapping.ledger["own"]
    return {
        "first load": statements.changed_since(visit, None),
        "what changed, by day": statements.changed_since(visit, DAY, unmarked=False),
        "what changed, by night": statements.changed_since(visit, DAY),
        "first window of a table": statements.after_key(line, None, 20_000),
        "next window of a table": statements.after_key(line, ["H-01", 40, 7], 20_000),
        "newest rows of one patient": statements.of_patient(bill, "0000000001").limit(25),
        "one bill by its columns": statements.where(bill, bill.key, [("H-01", "40")]).limit(200),
        "its lines": statements.where(line, ("jgdm", "djh"), [("H-01", "40"), ("H-02", "40")]).limit(198),
        "one person": statements.where(mapping.entities["patient"], ("zjhm",), [("110101199003070011",)]).limit(200),
        "a row to see how days are told": statements.newest_day(own),
        "a day of the ledger": statements.of_day(own, ("20261121", "20261122")),
    }
