"""The product's processes under the demonstration's supervisor: servers, workers, scheduler, and if wanted web server,
a hospital and its agent."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx

from app.core.embedded import Postgres, Valkey
from app.core.local_server import free_port
from app.core.settings import DEVELOPMENT_KEY
from app.core.work import Runtime
from bench import newcomers, proxy
from bench.ground import ROOT, libpq, migrate, runtime_on
from bench.proxy import Proxy
from demo.agents import MAPPINGS
from demo.supervisor import Program, Supervisor, http_ok
from demo.web_server import granian
from mock_partners.his.fill import hospital_url

WORKERS = ("worker-1", "worker-2")
WEB, SCHEDULER, AGENT, HOSPITAL, VALKEY = "web", "scheduler", "agent", "hospital", "valkey"


@dataclass
class Stack:
    """`network` is what a whole stack has in front of its Redis."""

    supervisor: Supervisor
    runtime: Runtime
    hospital_id: UUID
    valkey: Valkey
    network: Proxy | None
    web_url: str
    hospital_url: str

    @property
    def database_url(self) -> str:
        """As libpq takes it."""
        return libpq(self.runtime.settings.database_url)


@contextmanager
def started_anew(*, whole: bool) -> Iterator[Stack]:
    """In a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, started(Path(directory), whole=whole) as stack:
        yield stack


@contextmanager
def started(directory: Path, *, whole: bool) -> Iterator[Stack]:
    """`whole` with web server, hospital and agent. What is written goes into `directory`, logs too."""
    with ExitStack() as under, Supervisor(directory / "log") as supervisor:
        postgres, valkey = Postgres(directory / "postgres"), Valkey(directory / "valkey")
        database_url = supervisor.adopt("postgres", postgres)
        redis_url = supervisor.adopt(VALKEY, valkey)
        network = under.enter_context(proxy.in_front_of(redis_url)) if whole else None
        migrate(database_url)
        web, hospital = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
        many = "1000000 per minute"
        runtime = runtime_on(
            database_url,
            redis_url=network.url if network else redis_url,
            public_url=web,
            exchange_url=web,
            caller_limit=many,
            partner_limit=many,
        )
        stack = Stack(supervisor, runtime, newcomers.found(runtime), valkey, network, web, hospital)
        programs = [_python(stack, name, "workers", "work") for name in WORKERS]
        programs.append(_python(stack, SCHEDULER, "workers", "schedule"))
        if whole:
            his_url = postgres.create_database("his")
            programs += [_web(stack), _hospital(stack, his_url)]
        supervisor.start(*programs)
        if whole:
            supervisor.start(_agent(stack, his_url, directory))
        yield stack
        runtime.database.dispose()
    for server in (postgres, valkey):
        server.remove()


def _environment(stack: Stack, name: str) -> dict[str, str]:
    """`PGAPPNAME` tells the database whose connection it is."""
    settings = stack.runtime.settings
    names = ("database_url", "redis_url", "public_url", "exchange_url", "caller_limit", "partner_limit")
    given = {one.upper(): str(getattr(settings, one)) for one in names}
    return given | {"APP_ENV": "development", "MASTER_KEY": DEVELOPMENT_KEY, "LOG_LEVEL": "WARNING",
                    "PGAPPNAME": name, "PYTHONPATH": str(ROOT)}  # fmt: skip


def _python(stack: Stack, name: str, module: str, *arguments: str, **how: object) -> Program:
    argv = (sys.executable, "-P", "-m", module, *arguments)
    return Program(name, argv, _environment(stack, name), ROOT, restart=True, ready_timeout_s=90, **how)  # type: ignore[arg-type]


def _web(stack: Stack) -> Program:
    listen = granian(stack.web_url.rpartition(":")[2])
    return _python(stack, WEB, "granian", *listen, healthy=http_ok(f"{stack.web_url}/healthz"))


def _hospital(stack: Stack, database_url: str) -> Program:
    port = stack.hospital_url.rpartition(":")[2]
    healthy = http_ok(f"{stack.hospital_url}/__mock__/health")
    return _python(stack, HOSPITAL, "chaos.hospital", database_url, port, healthy=healthy)


def _agent(stack: Stack, database_url: str, directory: Path) -> Program:
    """A real agent; it reads no records here, and a patient's pull finds a patient without visits."""
    mapping = directory / "his.mapping.toml"
    shutil.copyfile(MAPPINGS["builtin"], mapping)
    source = hospital_url(database_url, "builtin", "H1")
    lines: dict[str, dict[str, object]] = {
        "": {"role": "hospital", "partner": newcomers.AGENT, "secret": newcomers.AGENT_SECRET, "store": "agent.sqlite",
             "exchange_url": stack.web_url, "log_level": "WARNING"},
        "[source]": {"database_url": source, "mapping": mapping.name},
        "[his]": {"url": stack.hospital_url},
        "[bulk]": {"enabled": False},
        "[pull]": {"per_second": 10_000.0, "statement_timeout_ms": 10_000},
    }  # fmt: skip
    blocks = ["\n".join([head, *(f"{k} = {json.dumps(v)}" for k, v in block.items())]) for head, block in lines.items()]
    path = directory / "agent.toml"
    path.write_text("\n".join(blocks) + "\n", encoding="utf-8")
    return _python(stack, AGENT, "hospital_agent", "--config", str(path))


def ask_double(stack: Stack, what: str) -> list[dict[str, object]]:
    """A list of the hospital's double: `journal`, `registrations`."""
    answer = httpx.get(f"{stack.hospital_url}/__mock__/{what}", timeout=120, trust_env=False)
    found: list[dict[str, object]] = answer.raise_for_status().json()
    return found
