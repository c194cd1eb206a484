"""PostgreSQL and Valkey (a Redis-protocol server) from Python wheels, for a machine that has only Python."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core import places
from app.core.children import Command
from app.core.local_server import EmbeddedServerError, LocalServer, write_private

__all__ = ["EmbeddedServerError", "Postgres", "Valkey"]

POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket path may have 107 characters, a checkout's more
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # DETAIL quotes rows, and rows hold personal data
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
USER = "zhipei"
DATABASE = "zhipei"


class Postgres(LocalServer):
    """PostgreSQL 18. `durable=False` trades safety against power loss for speed: for tests only.

    `settings` go over POSTGRES_SETTINGS, as in `{"log_statement": "all"}`.
    """

    program_name = "postgres"
    _stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def __init__(self, data_dir: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(data_dir)
        self.durable = durable
        self.settings = {**POSTGRES_SETTINGS, **(DURABLE if durable else NOT_DURABLE), **(settings or {})}

    @property
    def url(self) -> str:
        return self.database_url(DATABASE)

    def database_url(self, name: str) -> str:
        return f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def start(self) -> str:
        super().start()
        return self.create_database(DATABASE)

    def create_database(self, name: str, template: str | None = None) -> str:
        """The URL of the database, created (as a copy of `template`, which must have no sessions) unless it exists."""
        with self._connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                source = sql.Identifier(template or "template1")
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        return self.database_url(name)

    def drop_database(self, name: str) -> None:
        """Drop it if it exists, ending its sessions."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def databases(self) -> list[str]:
        """Names of all databases but PostgreSQL's own."""
        with self._connect() as connection:
            query = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
            return [str(name) for (name,) in connection.execute(query)]

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            dbname="postgres",
            autocommit=True,
            connect_timeout=15,
        )

    def _working_directory(self) -> Path:
        return self.place / "data"

    def _prepare(self) -> None:
        data = self._working_directory()
        if not self.durable and (data / "postmaster.pid").exists():
            shutil.rmtree(data)  # not shut down and never synced: nothing in it can be trusted
        if not data.exists():
            self._initialise(data)

    def _initialise(self, data: Path) -> None:
        """initdb into a scratch directory and rename it, so that an interrupted one leaves nothing half done."""
        scratch = data.with_name("data.new")
        password_file = data.with_name("initdb-password")
        shutil.rmtree(scratch, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        scratch.mkdir(mode=0o700)
        write_private(password_file, self.password)
        for path in (scratch, password_file):
            places.give_to(path, places.server_account())
        try:
            self._initdb(scratch, password_file)
        finally:
            password_file.unlink()
        scratch.rename(data)

    def _initdb(self, scratch: Path, password_file: Path) -> None:
        options = [
            f"--pgdata={scratch}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The builtin C.UTF-8 is the same on every system; the C library's is not, and macOS has none.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            # Iterations slow down guessing, and a random password of 192 bits is not guessed.
            "--set=scram_iterations=1",
        ]
        done = subprocess.run(
            [places.postgres_programs() / "initdb", *options, *([] if self.durable else ["--no-sync"])],
            user=places.server_account(),
            cwd=scratch,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise EmbeddedServerError(f"initdb failed: {done.stderr.strip()}")

    def _command(self) -> Command:
        data = self._working_directory()
        settings = {**self.settings, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            argv=(str(places.postgres_programs() / "postgres"), "-D", str(data), *options),
            cwd=data,
            user=places.server_account(),
            stop_signal=self._stop_signal,
            grace_s=30.0,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


class Valkey(LocalServer):
    """Valkey 9.1 without persistence: what it holds may be lost at any time, by design."""

    program_name = "valkey-server"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def _working_directory(self) -> Path:
        return self.place

    def _prepare(self) -> None:
        """Nothing to lay out; the configuration is written for each start, because it holds the port."""

    def _command(self) -> Command:
        configuration = self.place / "valkey.conf"  # a password among the arguments would show in the process list
        lines = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "maxclients": 1000,
        }
        write_private(configuration, "".join(f"{name} {value}\n" for name, value in lines.items()))
        return Command(argv=(str(places.valkey_program()), str(configuration)), cwd=self.place, grace_s=5.0)

    def _answers(self) -> bool:
        with contextlib.closing(redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0))) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
