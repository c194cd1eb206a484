"""How each kind of database is read with good manners: one state of it, nothing written, no statement for too long.

| | one state | read only | a statement's time |
|---|---|---|---|
| PostgreSQL | REPEATABLE READ | the transaction | `statement_timeout` |
| MySQL, from 5.7.8 | REPEATABLE READ | the session | `max_execution_time`, in ms |
| MariaDB | REPEATABLE READ | the session | `max_statement_time`, in seconds; it knows no `max_execution_time` |
| SQL Server | SNAPSHOT, which the database must allow | by rights alone | the driver's `timeout`, whole seconds |
| Oracle | of the read-only transaction | the transaction | the driver's `call_timeout`, in ms |

Sources: PostgreSQL 18, "SET TRANSACTION" and "Client Connection Defaults"; MySQL 8.4 Reference Manual 7.1.8; MariaDB
Knowledge Base, "Aborting Statements that Exceed a Certain Time to Execute"; pyodbc wiki, "Connection"; python-oracledb,
"Connection.call_timeout"; Oracle Database SQL Language Reference, "SET TRANSACTION".

`busy_query` answers how many sessions of others are at work, or NULL where the account may not see them: an account
that sees only itself would find every source idle. Beside PostgreSQL, which has names of applications, sessions of the
agent's own account are its own: it needs one for itself. `writable_query` answers whether the account may write.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection, Dialect

APPLICATION_NAME = "zhipei-agent"
ISOLATION = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "mssql": "SNAPSHOT",
}
"""By SQLAlchemy's name of the backend, for every connection. Oracle's read-only transaction is a snapshot by itself."""

_MYSQL_BUSY = """
SELECT CASE WHEN EXISTS (SELECT 1 FROM information_schema.user_privileges
                          WHERE privilege_type = 'PROCESS' AND replace(grantee, '''', '') = current_user())
       THEN (SELECT count(*) FROM information_schema.processlist
              WHERE command NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID')
                AND user NOT IN ('system user', 'event_scheduler', substring_index(user(), '@', 1))) END
"""
_MYSQL_WRITABLE = """
SELECT count(*) FROM (
    SELECT grantee, privilege_type FROM information_schema.user_privileges
    UNION ALL SELECT grantee, privilege_type FROM information_schema.schema_privileges
    UNION ALL SELECT grantee, privilege_type FROM information_schema.table_privileges) AS p
WHERE privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND replace(grantee, '''', '') = current_user()
"""


@dataclass(frozen=True)
class Manners:
    """What one kind of database is told before a reading, and asked. `{ms}` and `{s}` stand for the statement timeout.

    `driver_timeout` is an attribute of the driver's connection and how many of its units a second has. `busy_grant` is
    what the account needs for `busy_query`.
    """

    statements: tuple[str, ...] = ()
    driver_timeout: tuple[str, int] | None = None
    busy_query: str = ""
    busy_grant: str = ""
    writable_query: str = ""

    def prepare(self, connection: Connection, timeout_ms: int) -> None:
        """The first words of a transaction."""
        if self.driver_timeout is not None:
            name, units = self.driver_timeout
            setattr(connection.connection.dbapi_connection, name, math.ceil(timeout_ms * units / 1000))
        for statement in self.statements:
            whole_s = math.ceil(timeout_ms / 1000)
            connection.exec_driver_sql(statement.format(ms=timeout_ms, s=timeout_ms / 1000, whole_s=whole_s))


_BY_NAME: Mapping[str, Manners] = {
    "postgresql": Manners(
        statements=("SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = {ms}"),
        busy_query="""
SELECT CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE')
       THEN (SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND state IN ('active', 'fastpath function call')
                AND pid <> pg_backend_pid() AND application_name <> 'zhipei-agent') END
""",
        busy_grant="GRANT pg_read_all_stats",
        writable_query="""
SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'INSERT, UPDATE, DELETE')
""",
    ),
    "mysql": Manners(
        statements=(
            "SET SESSION TRANSACTION READ ONLY",
            "SET SESSION max_execution_time = {ms}, lock_wait_timeout = {whole_s}",
        ),
        busy_query=_MYSQL_BUSY,
        busy_grant="GRANT PROCESS ON *.*",
        writable_query=_MYSQL_WRITABLE,
    ),
    "mariadb": Manners(
        statements=(
            "SET SESSION TRANSACTION READ ONLY",
            "SET SESSION max_statement_time = {s}, lock_wait_timeout = {whole_s}",
        ),
        busy_query=_MYSQL_BUSY,
        busy_grant="GRANT PROCESS ON *.*",
        writable_query=_MYSQL_WRITABLE,
    ),
    "mssql": Manners(
        statements=("SET LOCK_TIMEOUT {ms}",),
        driver_timeout=("timeout", 1),
        busy_query="""
SELECT CASE WHEN HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1
       THEN (SELECT count(*) FROM sys.dm_exec_requests r JOIN sys.dm_exec_sessions s ON s.session_id = r.session_id
              WHERE s.is_user_process = 1 AND r.status IN ('running', 'runnable', 'suspended')
                AND s.original_login_name <> ORIGINAL_LOGIN()) END
""",
        busy_grant="GRANT VIEW SERVER STATE",
        writable_query="""
SELECT HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'INSERT') + HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'UPDATE')
     + HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'DELETE')
""",
    ),
    "oracle": Manners(
        statements=("SET TRANSACTION READ ONLY",),
        driver_timeout=("call_timeout", 1000),
        busy_query="""
SELECT count(*) FROM v$session
WHERE type = 'USER' AND status = 'ACTIVE' AND username <> SYS_CONTEXT('USERENV', 'SESSION_USER')
""",
        busy_grant="GRANT SELECT ON V_$SESSION",
        writable_query="""
SELECT (SELECT count(*) FROM session_privs
         WHERE privilege IN ('INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE'))
     + (SELECT count(*) FROM user_tab_privs
         WHERE privilege IN ('INSERT', 'UPDATE', 'DELETE') AND grantee = SYS_CONTEXT('USERENV', 'SESSION_USER'))
FROM dual
""",
    ),
}
SLOW = frozenset({"57014", 3024, 1969, 1205, 1317, "HYT00", "HYT01"})
"""A statement that took too long: PostgreSQL; MySQL, MariaDB, a lock there, a statement ended there; the ODBC driver.
python-oracledb says DPY-4024, in its text."""


def manners_of(dialect: Dialect) -> Manners:
    """Those of the connected database, which alone can tell MariaDB from MySQL; none for a kind we do not know."""
    is_mariadb = dialect.name == "mysql" and getattr(dialect, "is_mariadb", False)
    return _BY_NAME.get("mariadb" if is_mariadb else dialect.name, Manners())


def is_slow(error: Any) -> bool:
    """Does the driver's error say that a statement was ended because it took too long?"""
    first = error.args[0] if getattr(error, "args", ()) else None
    return getattr(error, "sqlstate", None) in SLOW or first in SLOW or "DPY-4024" in str(first)
