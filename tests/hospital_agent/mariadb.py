"""A MariaDB of one test process, kept between runs as the PostgreSQL of `tests.servers` is."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.core import places
from app.core.children import Command
from app.core.local_server import EmbeddedServerError, LocalServer, write_private
from tests import needs
from tests.servers import ROOT

ADMIN = "admin"


class MariaDb(LocalServer):
    """MariaDB on loopback, as an unprivileged user, that promises nothing across a power cut."""

    program_name = "mariadbd"

    @property
    def url(self) -> str:
        return self.database_url("")

    def database_url(self, name: str, account: str = ADMIN, password: str = "") -> str:
        return f"mysql+pymysql://{account}:{password or self.password}@127.0.0.1:{self.port}/{name}?charset=utf8mb4"

    def _working_directory(self) -> Path:
        return self.place / "data"

    def _prepare(self) -> None:
        data = self._working_directory()
        if data.exists():
            return
        scratch = data.with_name("data.new")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        places.give_to(scratch, places.server_account())
        options = [
            f"--datadir={scratch}",
            "--no-defaults",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ]
        programs = needs.mariadb_server().parent
        installer = shutil.which("mariadb-install-db") or str(programs / "mariadb-install-db")
        done = subprocess.run(
            [installer, *options], user=places.server_account(), cwd=scratch, capture_output=True, text=True
        )
        if done.returncode:
            raise EmbeddedServerError(f"mariadb-install-db failed: {done.stderr.strip()}")
        scratch.rename(data)

    def _command(self) -> Command:
        data, first = self._working_directory(), self.place / "first.sql"
        account = f"'{ADMIN}'@'127.0.0.1'"
        created = f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{self.password}';\n"
        write_private(first, f"{created}GRANT ALL ON *.* TO {account} WITH GRANT OPTION;\n")
        places.give_to(first, places.server_account())
        options = {
            "datadir": data,
            "port": self.port,
            "bind-address": "127.0.0.1",
            "socket": "here.sock",
            "pid-file": "here.pid",
            "init-file": first,
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-buffer-pool-size": "64M",
            "skip-name-resolve": 1,
            "character-set-server": "utf8mb4",
            "default-time-zone": "+08:00",
        }
        argv = [str(needs.mariadb_server()), "--no-defaults", *(f"--{name}={value}" for name, value in options.items())]
        return Command(argv=tuple(argv), cwd=data, user=places.server_account(), grace_s=30.0)

    def _answers(self) -> bool:
        engine = sa.create_engine(self.url)
        try:
            engine.connect().close()
        except DBAPIError:
            return False
        finally:
            engine.dispose()
        return True


@contextmanager
def running() -> Iterator[MariaDb]:
    """The first of `.data/test/mariadb-0`, `-1`, … that no other test process uses; the test ends without MariaDB."""
    needs.mariadb_server()
    for number in itertools.count():
        server = MariaDb(ROOT / ".data" / "test" / f"mariadb-{number}")
        try:
            server.start()
        except EmbeddedServerError as error:
            if not error.in_use:
                raise
        else:
            break
    try:
        yield server
    finally:
        server.stop()
