"""Everything that runs: two servers, the product's processes, the doubles and the agents, in order of need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.core.embedded import Postgres, Valkey
from demo import agents, database, world
from demo.place import ROOT, Place
from demo.supervisor import Program, Supervisor, http_ok
from demo.web_server import granian
from mock_partners.his.fill import policies_by_insurer, prepare

HIS_DATABASE = "his"
# More patients wait in a line than the hospital takes at once, and more than the interface admits.
REGISTRATION_BATCH = 25
# A long poll keeps a thread: at least twice as many as partners.
THREADS = {"front": 8, "exchange": 16}
WORKERS = ("worker-1", "worker-2")
Report = Callable[[str], None]


@dataclass
class Stack:
    """What a started demonstration consists of."""

    place: Place
    supervisor: Supervisor
    database_url: str
    his_database_url: str
    redis_url: str
    world: dict[str, Any]
    people: list[dict[str, Any]]
    master_key: str = field(repr=False)
    agents: list[str] = field(default_factory=list)

    @property
    def public_url(self) -> str:
        return str(self.world["platform"]["public_url"])

    @property
    def exchange_url(self) -> str:
        return str(self.world["platform"]["exchange_url"])

    def double(self, name: str) -> str:
        """The URL of a double: a party's code, or one of world.SERVICES."""
        return f"{world.LOCAL}:{self.world['ports'][name]}"


@contextmanager
def started(place: Place, report: Report) -> Iterator[Stack]:
    """Start everything; leaving stops it. `report` is told each step in words."""
    if place.options.fresh or not place.world_file.exists():
        place.clear_logs()
    with Supervisor(place.logs) as supervisor:
        stack = _prepare(place, supervisor, report)
        report("starting web server, exchange, doubles, workers and scheduler")
        with ThreadPoolExecutor(1) as aside:
            # Each takes as long as the programs' own start beside it.
            seeded = aside.submit(_command, stack, "seed", "--world", str(place.world_file))
            background = [_python(stack, name, "workers", "work") for name in WORKERS]
            background.append(_python(stack, "scheduler", "workers", "schedule"))
            supervisor.start(_doubles(stack), _web(stack, "exchange"), _web(stack, "web"), *background)
            seeded.result()
            published = aside.submit(_command, stack, "menus")
            _tell_insurers(stack)
            _fill_cards(stack)
            report("starting the agents")
            supervisor.start(*_agents(stack))
            published.result()
        yield stack


def _prepare(place: Place, supervisor: Supervisor, report: Report) -> Stack:
    """Servers, tables, world, hospitals' data, seed: everything that must be there before a program starts."""
    options = place.options
    ours = {"PostgreSQL": not options.database_url, "Valkey": not options.redis_url}
    report(" and ".join(f"{'starting' if started else 'using your'} {name}" for name, started in ours.items()))
    database_url, his_url, redis_url = _servers(place, supervisor)
    found = place.read(place.world_file)
    if options.fresh or place.was_interrupted or found is None or not database.holds(database_url, found["id"]):
        database.clear(database_url, redis_url)
        if his_url != database_url:
            database.clear(his_url, redis_url)
        place.clear()
        report("inventing the world and its keys")
        found = _new_world(place)
    assert found is not None
    world.settle(found, his_url)
    place.write(place.world_file, found)
    report("bringing the tables up to date")
    database.migrate(database_url)
    database.mark(database_url, found["id"])
    report("filling the hospitals' systems")
    people = prepare(his_url, found, options.patients, options.his_data)
    master_key = str(place.read(place.master_key_file))
    return Stack(place, supervisor, database_url, his_url, redis_url, found, people, master_key)


def _servers(place: Place, supervisor: Supervisor) -> tuple[str, str, str]:
    """URLs of the product's database, of the one for the HIS, and of Redis; what is not given is started."""
    options = place.options
    database_url = his_url = options.database_url
    if not database_url:
        server = Postgres(place.path / "postgres")
        database_url = supervisor.adopt("postgres", server)
        his_url = server.create_database(HIS_DATABASE)
    else:
        database.require_answer(database_url)
    redis_url = options.redis_url or supervisor.adopt("valkey", Valkey(place.path / "valkey"))
    return database_url, his_url, redis_url


def _new_world(place: Place) -> dict[str, Any]:
    options = place.options
    master_key = world.new_master_key()
    place.write(place.master_key_file, master_key)
    return world.make(world.Filling(options.business_date, options.dialect, options.patients), master_key)


def _command(stack: Stack, name: str, *options: str) -> None:
    """Run a command of the product's own, again only where addresses have changed since."""
    done = stack.place.path / f"{name}.json"
    if stack.place.read(done) == stack.world:
        return
    program = _python(stack, name, "flask", "--app", "wsgi", name, *options)
    database.run(program.argv, program.cwd, program.env)
    stack.place.write(done, stack.world)


def _tell_insurers(stack: Stack) -> None:
    """A policy lives at its insurer; entering the same one again changes nothing."""
    for code, policies in policies_by_insurer(stack.people).items():
        httpx.post(f"{stack.double(code)}/__mock__/policies", json=policies, trust_env=False).raise_for_status()


def _fill_cards(stack: Stack) -> None:
    """Who is to be refunded must have paid something: their personal accounts are empty."""
    cards = [
        {
            "card_no": person["medical_card_no"],
            "name": person["name"],
            "document_no": person["document_no"],
            "account_fen": 0,
            "insured": True,
        }
        for person in stack.people
        if "refund" in person["cases"]
    ]
    network = stack.double(stack.world["medical_insurance"]["code"])
    httpx.post(f"{network}/__mock__/cards", json=cards, trust_env=False).raise_for_status()


def _environment(stack: Stack, role: str) -> dict[str, str]:
    url = stack.double
    return {
        "APP_ENV": "development",
        "ROLE": role,
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": stack.redis_url,
        "MASTER_KEY": stack.master_key,
        "BUSINESS_DATE": stack.world["business_date"],
        "PUBLIC_URL": stack.public_url,
        "EXCHANGE_URL": stack.exchange_url,
        "WEB_THREADS": str(THREADS.get(role, 1)),
        "REGISTRATION_BATCH": str(REGISTRATION_BATCH),
        "WECHAT_API_URL": url("wechat"),
        "WECHAT_OPEN_URL": url("wechat"),
        "WECHAT_PAY_URL": url("wechat"),
        "E_BILL_AUTHORITY_URL": url("e_bill_authority"),
        "E_BILL_AUTHORITY_KEY": stack.world["e_bill_authority"]["key"],
        "SMS_URL": url("sms"),
        "SMS_KEY": stack.world["sms"]["key"],
        "MAIL_URL": url("mail"),
        "MAIL_KEY": stack.world["mail"]["key"],
        "MAIL_FROM": stack.world["mail"]["from"],
        "FINANCE_MAILS": ",".join(stack.world["platform"]["mails"]),
        "FINANCE_PHONES": ",".join(stack.world["platform"]["phones"]),
        "PYTHONPATH": str(ROOT),
    }


def _python(stack: Stack, name: str, module: str, *arguments: str, role: str = "all", **how: Any) -> Program:
    argv = (sys.executable, "-P", "-m", module, *arguments)
    return Program(name=name, argv=argv, env=_environment(stack, role), cwd=ROOT, restart=True, **how)


def _web(stack: Stack, name: str) -> Program:
    role = "exchange" if name == "exchange" else "front"
    url = stack.double(name)
    listen = granian(url.rpartition(":")[2])
    return _python(stack, name, "granian", *listen, role=role, healthy=http_ok(f"{url}/healthz"))


def _doubles(stack: Stack) -> Program:
    names = [name for name in stack.world["ports"] if name not in ("web", "exchange")]
    checks = [http_ok(f"{stack.double(name)}/__mock__/health") for name in names]
    options = ("--world", str(stack.place.world_file), "--state-dir", str(stack.place.path / "doubles"))
    program = _python(stack, "doubles", "mock_partners", *options, healthy=lambda: all(check() for check in checks))
    return program


def _agents(stack: Stack) -> list[Program]:
    configs = agents.write_configs(stack.world, stack.place.path / "agents")
    stack.agents = list(configs)
    return [_python(stack, name, "hospital_agent", "--config", str(path)) for name, path in configs.items()]


def log_of(stack: Stack, name: str) -> Path:
    return stack.supervisor.logs.path(name)
