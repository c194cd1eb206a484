"""PostgreSQL and Valkey (a Redis-protocol server) from Python wheels, for a machine that has only Python.

Both listen on a free loopback port with a random password, keep what they need in one directory, and end with the
process that started them, also when that is killed. A directory has one owner at a time. Whatever an earlier owner
left running on it is stopped first, so `start` is safe after any crash.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core import guardian, places
from app.core.children import Child, Command, spawn

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


class EmbeddedServerError(RuntimeError):
    """The server cannot start. `in_use`: another living process owns the directory."""

    def __init__(self, message: str, *, in_use: bool = False) -> None:
        super().__init__(message)
        self.in_use = in_use


class _Server:
    """One owner, one port, one password, one log; what PostgreSQL and Valkey have in common."""

    program_name: str
    ready_timeout_s = 60.0

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._child: Child | None = None
        self._claim: int | None = None

    @property
    def place(self) -> Path:
        """Where the files really are: `data_dir`, or for root its stand-in in /var/tmp."""
        return places.private_place(self.data_dir)

    @property
    def log_path(self) -> Path:
        return self.place / f"{self.program_name}.log"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    @property
    def port(self) -> int:
        return int((self.place / "port").read_text())

    @property
    def password(self) -> str:
        return (self.place / "password").read_text()

    @property
    def url(self) -> str:
        raise NotImplementedError

    def start(self) -> str:
        """Start it unless it runs, wait until it answers, and return its URL. A restart keeps the port if it can."""
        if self.pid:
            return self.url
        self._take_claim()
        self._stop_orphans()
        if not (self.place / "password").exists():
            _write_private(self.place / "password", secrets.token_urlsafe(24))
        self._prepare()
        for port in self._candidate_ports():
            (self.place / "port").write_text(str(port))
            if self._run():
                return self.url
        raise EmbeddedServerError(f"{self.program_name} does not start, see {self.log_path}:\n{self._log_tail()}")

    def stop(self) -> None:
        """Stop it, finishing what it has to write. The data stays."""
        if self._child:
            self._child.stop()
            self._child = None
        self._drop_claim()

    def remove(self) -> None:
        """Stop it and delete all of its data."""
        self.stop()
        shutil.rmtree(self.place)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _prepare(self) -> None:
        raise NotImplementedError

    def _command(self) -> Command:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _working_directory(self) -> Path:
        """The directory in which the server runs, by which an orphan of ours is recognised."""
        raise NotImplementedError

    def _take_claim(self) -> None:
        if self._claim is not None:
            return
        claim = os.open(self.place / "claim", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(claim)
            raise EmbeddedServerError(f"{self.data_dir} is in use by another process", in_use=True) from None
        self._claim = claim

    def _drop_claim(self) -> None:
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _stop_orphans(self) -> None:
        """End servers that a killed owner left on this directory, the oldest (PostgreSQL's postmaster) first."""
        orphans = _processes_in(self._working_directory(), self.program_name)
        for process in sorted(orphans, key=lambda one: one.pid):
            guardian.end(process, self._stop_signal, 20.0)

    _stop_signal: int = signal.SIGTERM

    def _candidate_ports(self) -> list[int]:
        last = [self.port] if (self.place / "port").exists() else []
        return [port for port in last if _is_free(port)] + [_free_port() for _ in range(3)]

    def _run(self) -> bool:
        """Whether the server came up; False also when another process took the port in the meantime."""
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._child = spawn(self._command(), log)
        finally:
            os.close(log)
        deadline = time.monotonic() + self.ready_timeout_s
        while self._child.alive and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        self._child.kill()
        self._child = None
        return False

    def _log_tail(self) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-10:])


class Postgres(_Server):
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
            connect_timeout=5,
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
        _write_private(password_file, self.password)
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


class Valkey(_Server):
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
        _write_private(configuration, "".join(f"{name} {value}\n" for name, value in lines.items()))
        return Command(argv=(str(places.valkey_program()), str(configuration)), cwd=self.place, grace_s=5.0)

    def _answers(self) -> bool:
        with contextlib.closing(redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0))) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _processes_in(directory: Path, program_name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == program_name and process.cwd() == str(directory.resolve()):
                found.append(process)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
