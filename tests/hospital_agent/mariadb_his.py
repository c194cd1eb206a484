"""A hospital on MariaDB with a schema as old systems have it (`old_his.sql`), and its mapping."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.hospital_agent.mariadb import MariaDb

INPATIENT, HIS_BILL = "0000000001", "H~101-40"
"""A patient with a bill of more lines than a pull may read."""
FOLDER = Path(__file__).parent
MAPPING = (FOLDER / "old_his.mapping.toml").read_text(encoding="utf-8")
KEYS = """
SELECT concat('visit ', jzlsh) FROM t_mzjz
UNION ALL SELECT concat('bill ', replace(jgdm, '-', '~1'), '-', djh) FROM t_sfjsd
UNION ALL SELECT concat('fee_line ', replace(jgdm, '-', '~1'), '-', djh, '-', xh) FROM t_sfmx
UNION ALL SELECT concat('e_bill ', pjid) FROM t_dzpj
"""
"""What a complete reading brings, by type and key, as the database itself tells."""


@dataclass(frozen=True)
class OldHis:
    """One such hospital. The agent's account may read its tables and count sessions, and nothing else."""

    server: MariaDb
    name: str

    @property
    def agent_url(self) -> str:
        return self.server.database_url(self.name, self.name, "reader")

    @property
    def admin_url(self) -> str:
        return self.server.database_url(self.name)

    def run(self, statements: str) -> None:
        """Change the tables as the hospital does."""
        engine = sa.create_engine(self.admin_url)
        with engine.begin() as connection:
            for statement in statements.split(";"):
                if statement.strip():
                    connection.exec_driver_sql(statement.replace("%", "%%"))
        engine.dispose()

    def scalars(self, query: str, **parameters: str) -> list[str]:
        engine = sa.create_engine(self.admin_url)
        with engine.connect() as connection:
            found = list(connection.scalars(sa.text(query), parameters))
        engine.dispose()
        return found


def make(server: MariaDb) -> OldHis:
    """A new one with its rows."""
    his = OldHis(server, f"his_{uuid.uuid4().hex[:12]}")
    engine = sa.create_engine(server.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {his.name} CHARACTER SET utf8mb4")
        connection.exec_driver_sql(f"CREATE USER {his.name} IDENTIFIED BY 'reader'")
        connection.exec_driver_sql(f"GRANT SELECT ON {his.name}.* TO {his.name}")
        connection.exec_driver_sql(f"GRANT PROCESS ON *.* TO {his.name}")
    engine.dispose()
    his.run((FOLDER / "old_his.sql").read_text(encoding="utf-8"))
    return his
