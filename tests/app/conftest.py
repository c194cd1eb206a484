"""What tests of the features share: a runtime on a database of its own, workers that drain on request, a browser."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.core import tasks
from app.core.settings import Settings
from app.core.tasks import Task
from app.core.work import Runtime, Work
from app.exchange.models import Partner, PartnerKey, Party
from app.exchange.service import NewParty
from app.factory import AUTHENTICATE, create_app
from app.gateways import Gateways
from app.web.site import Site
from app.wiring import make_gateways
from tests.app.kit import DrainAll, lease_on, runtime_on
from tests.app.partner import PartnerClient, World
from workers.bell import Bell
from workers.context import Context
from workers.drain import drain_with

MAX_ROUNDS = 200
INSURER = {"url": "http://127.0.0.1:9", "contact": "privacy@example.com"}
PARTIES = {
    "H1": NewParty("hospital", "H1", "市第一人民医院"),
    "H2": NewParty("hospital", "H2", "市中医医院"),
    "I1": NewParty("insurer", "I1", "安心健康保险", INSURER, "whsec_" + "b3V0" * 8),
    "I2": NewParty("insurer", "I2", "长宁人寿保险", INSURER, "whsec_" + "b3V1" * 8),
    "M1": NewParty("medical_insurance", "M1", "市医疗保障局", {"n": 10, "window_s": 6}),
    "B1": NewParty("bank", "B1", "商业银行", {"url": "http://127.0.0.1:9"}, "whsec_" + "b3V2" * 8),
}


@pytest.fixture
def settings(fresh_database_url: str, redis_url: str) -> Settings:
    """Override it in a folder's conftest.py to point at doubles."""
    return Settings(database_url=fresh_database_url, redis_url=redis_url, caller_limit="100000 per minute")


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    """Every table and no rows."""
    with runtime_on(settings) as runtime:
        yield runtime


@pytest.fixture
def gateways(settings: Settings) -> Gateways:
    return make_gateways(settings)


@pytest.fixture
def here(runtime: Runtime, gateways: Gateways) -> Context:
    """A worker in this process."""
    lease = lease_on(runtime.settings.database_url)
    lease.hold()  # before threads of a test can open it at the same time
    return Context(runtime, gateways, Bell(runtime.settings.redis_url), lease)


@pytest.fixture
def drain_all(here: Context) -> DrainAll:
    """`drain_all(*kinds, hurry=False)` works until nothing of these kinds (without any: of every kind) is due, and
    answers how many rounds that took. `hurry` makes postponed tasks due first."""

    def drain(*kinds: str, hurry: bool = False) -> int:
        if hurry:
            _make_due(here.runtime, kinds)
        for rounds in range(MAX_ROUNDS):
            with here.runtime.read() as session:
                due = [kind for kind in tasks.due_kinds(session) if not kinds or kind in kinds]
            if not due:
                return rounds
            for kind in due:
                drain_with(here, kind)
        raise AssertionError(f"still due after {MAX_ROUNDS} rounds: {due}")

    return drain


def _make_due(runtime: Runtime, kinds: tuple[str, ...]) -> None:
    with runtime.work() as work:
        wanted = [Task.status == "due", Task.lease.is_(None)] + ([Task.kind.in_(kinds)] if kinds else [])
        work.session.execute(update(Task).where(*wanted).values(run_at=work.now))


@pytest.fixture(scope="session")
def made_apps() -> dict[Any, APIFlask]:
    """Applications of this process by the settings that shape them: making one takes as long as several tests."""
    return {}


@pytest.fixture
def client(runtime: Runtime, gateways: Gateways, made_apps: dict[Any, APIFlask]) -> FlaskClient:
    """The whole product (role all) without a network."""
    settings = runtime.settings
    shape = (settings.role, settings.redis_url, settings.caller_limit, settings.partner_limit)
    if shape not in made_apps:
        made_apps[shape] = create_app(runtime, gateways)
    app = made_apps[shape]
    app.extensions["zhipei"] = Site(runtime, gateways, AUTHENTICATE)
    return app.test_client()


@pytest.fixture
def world(runtime: Runtime, client: FlaskClient) -> World:
    """Two hospitals, two insurers, the medical insurance and a bank; hospitals and M1 with an agent, the others with a
    core system."""
    world = World()
    secrets = {code: "whsec_" + b64encode(bytes([number + 1]) * 32).decode() for number, code in enumerate(PARTIES)}
    with runtime.work() as work:
        parties = [_party(work, new) for new in PARTIES.values()]
        programs = ["agent" if one.kind in ("hospital", "medical_insurance") else "core" for one in parties]
        partners = [
            Partner(party_id=one.id, code=f"{one.code}-{program}", program=program)
            for one, program in zip(parties, programs, strict=True)
        ]
        keys = [PartnerKey(partner_id=one.id, place=1) for one in partners]
        for key, secret in zip(keys, secrets.values(), strict=True):
            work.seal(key, "secret_sealed", secret)
        for rows in (parties, partners, keys):  # three statements: hundreds of tests need a world
            work.session.add_all(rows)
            work.session.flush()
        for party, partner in zip(parties, partners, strict=True):
            world.party[party.code] = party.id
            world.partner[party.code] = PartnerClient(client, partner.code, secrets[party.code])
    return world


def _party(work: Work, new: NewParty) -> Party:
    row = Party(kind=new.kind, code=new.code, name=new.name, config=dict(new.config))
    if new.outbound_secret is not None:
        work.seal(row, "outbound_secret_sealed", new.outbound_secret)
    return row
