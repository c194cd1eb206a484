"""Two hospitals whose databases write down every statement of the agent, and can be kept busy."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests import servers
from tests.hospital_agent import mariadb_his, small_his
from tests.hospital_agent.exchange_site import wait_for
from tests.hospital_agent.mariadb import MariaDb

_MARIADB_SESSIONS = "SELECT id FROM information_schema.processlist WHERE instr(info, :mark) AND id <> connection_id()"
_POSTGRES_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE strpos(query, :mark) > 0 AND pid <> pg_backend_pid()"


class WatchedHis(Protocol):
    """A hospital as the agent meets it, and what its database saw of the agent."""

    mapping: str
    patient_no: str
    tables: frozenset[str]

    @property
    def url(self) -> str:
        """For the agent, with an account that may only read."""

    def keys(self) -> set[str]:
        """What a complete reading brings, as "type key"."""

    def statements(self) -> list[str]:
        """Every statement of the agent so far."""

    def busy(self) -> AbstractContextManager[None]:
        """A context in which somebody else's session works."""


@contextmanager
def at_work(url: str, sleep: str, sessions: str, end: str) -> Iterator[None]:
    """Somebody sleeps in a session of their own, which `sessions` finds by a mark in its text, and `end` ends."""
    engine, mark = sa.create_engine(url, isolation_level="AUTOCOMMIT"), f"working_{uuid.uuid4().hex}"

    def work() -> None:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"{sleep} /* {mark} */")
        except DBAPIError:
            return  # it was ended

    thread = threading.Thread(target=work)
    thread.start()
    with engine.connect() as admin:
        session = wait_for(lambda: admin.scalar(sa.text(sessions), {"mark": mark}))
        try:
            yield
        finally:
            admin.exec_driver_sql(end.format(session))
            thread.join()
    engine.dispose()


@dataclass
class OnMariaDb:
    """`mariadb_his` and the general log of its server."""

    his: mariadb_his.OldHis
    mapping: str = mariadb_his.MAPPING
    patient_no: str = mariadb_his.INPATIENT
    tables: frozenset[str] = frozenset({"t_brxx", "t_mzjz", "t_sfjsd", "t_sfmx", "t_dzpj", "t_qszz"})

    @property
    def url(self) -> str:
        return self.his.agent_url

    def keys(self) -> set[str]:
        return set(self.his.scalars(mariadb_his.KEYS))

    def statements(self) -> list[str]:
        query = (
            "SELECT CAST(argument AS CHAR) FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')"
            " AND user_host LIKE concat(:account, '%') ORDER BY event_time"
        )
        return self.his.scalars(query, account=self.his.name)

    def rows_read(self) -> list[tuple[int, int]]:
        """Rows that each logged statement of the agent sent and examined."""
        query = (
            "SELECT concat(rows_sent, ' ', rows_examined) FROM mysql.slow_log WHERE sql_text REGEXP :tables"
            " AND user_host LIKE concat(:account, '%')"
        )
        found = [row.split() for row in self.his.scalars(query, account=self.his.name, tables="|".join(self.tables))]
        return [(int(sent), int(examined)) for sent, examined in found]

    @contextmanager
    def busy(self) -> Iterator[None]:
        with at_work(self.his.admin_url, "SELECT sleep(600)", _MARIADB_SESSIONS, "KILL {}"):
            yield


def on_mariadb(server: MariaDb) -> OnMariaDb:
    his = mariadb_his.make(server)
    for setting in ("log_output = 'TABLE'", "general_log = 1", "slow_query_log = 1", "long_query_time = 0"):
        his.run(f"SET GLOBAL {setting}")
    return OnMariaDb(his)


_LOGGED = re.compile(r"^[^\t]*? LOG:  (?:statement|execute [^:]+): (.*(?:\n\t.*)*)", re.MULTILINE)
_MORE = """
INSERT INTO mx SELECT 'B1', n, '葡萄糖', 1, 1, 1 FROM generate_series(2, 450) n;
CREATE INDEX ON jz (brid); CREATE INDEX ON jz (xgsj); CREATE INDEX ON jsd (brid)
"""
_KEYS = """
SELECT 'visit ' || jzh FROM jz UNION ALL SELECT 'bill ' || jsdh FROM jsd
UNION ALL SELECT 'fee_line ' || jsdh || '-' || xh FROM mx
"""


@dataclass
class OnPostgres:
    """`small_his` in a database whose server logs every statement of the agent's account."""

    database_url: str
    account: str
    log_path: Path
    log_from: int
    mapping: str = small_his.MAPPING
    patient_no: str = "P1"
    tables: frozenset[str] = frozenset({"jz", "jsd", "mx", "qs"})

    @property
    def url(self) -> str:
        made = sa.make_url(self.database_url).set(username=self.account, password="reader")
        return made.render_as_string(hide_password=False)

    def keys(self) -> set[str]:
        with psycopg.connect(self.database_url.replace("+psycopg", "")) as connection:
            return {key for (key,) in connection.execute(_KEYS)}

    def statements(self) -> list[str]:
        with self.log_path.open(encoding="utf-8", errors="replace") as log:
            log.seek(self.log_from)
            return list(_LOGGED.findall(log.read()))

    @contextmanager
    def busy(self) -> Iterator[None]:
        with at_work(self.database_url, "SELECT pg_sleep(600)", _POSTGRES_SESSIONS, "SELECT pg_terminate_backend({})"):
            yield


def on_postgres(databases: servers.Databases, folder: Path) -> OnPostgres:
    url = databases.create(migrated=False)
    source = small_his.open_small(url, folder)
    small_his.run(source, _MORE)
    account = f"reader_{uuid.uuid4().hex[:12]}"
    small_his.run(
        source,
        f"CREATE ROLE {account} LOGIN PASSWORD 'reader' IN ROLE pg_read_all_data, pg_read_all_stats;"
        f"ALTER ROLE {account} SET log_statement = 'all'",
    )
    source.engine.dispose()
    return OnPostgres(url, account, databases.log_path, databases.log_path.stat().st_size)
