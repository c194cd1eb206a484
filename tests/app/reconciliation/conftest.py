"""Insurers, a mail and an SMS gateway that answer, and a night that is ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from app.core.settings import Settings
from app.core.work import Runtime
from app.exchange.service import NewParty, put_party
from app.reconciliation.cli import reconcile
from mock_partners.couriers import Courier
from mock_partners.insurer.casebook import Settings as InsurerSettings
from mock_partners.insurer.server import Insurer
from mock_partners.mail import Mail
from mock_partners.sms import Sms
from tests.app.kit import DrainAll
from tests.app.partner import World
from tests.app.reconciliation.kit import NEXT_DAY, Night

AnyCourier = TypeVar("AnyCourier", bound=Courier)
KEY = "key"
SECRETS = {"I1": "whsec_" + "b3V0" * 8, "I2": "whsec_" + "b3V1" * 8}


@pytest.fixture
def flask(client: FlaskClient) -> Any:
    """`flask("status", …)` runs a command of the group `reconcile`."""

    def invoke(*arguments: str) -> Result:
        return client.application.test_cli_runner().invoke(reconcile, list(arguments))

    return invoke


@pytest.fixture(scope="session")
def started_couriers() -> Iterator[tuple[Mail, Sms]]:
    """A mail and an SMS gateway, started once for the tests of this process."""
    with Mail({"key": KEY}) as mail, Sms({"key": KEY}) as sms:
        yield mail, sms


@pytest.fixture
def mail(started_couriers: tuple[Mail, Sms]) -> Mail:
    return _emptied(started_couriers[0])


@pytest.fixture
def sms(started_couriers: tuple[Mail, Sms]) -> Sms:
    return _emptied(started_couriers[1])


def _emptied(double: AnyCourier) -> AnyCourier:
    double.faults.clear()
    double._messages.clear()
    double._journal.clear()
    return double


@pytest.fixture
def settings(fresh_database_url: str, fresh_redis_url: str, mail: Mail, sms: Sms) -> Settings:
    return Settings(
        database_url=fresh_database_url,
        redis_url=fresh_redis_url,
        business_date=NEXT_DAY,
        mail_url=mail.url,
        mail_key=KEY,
        mail_from="zhipei@example.com",
        sms_url=sms.url,
        sms_key=KEY,
        finance_mails="finance@example.com, chief@example.com",
        finance_phones="13800000001",
        caller_limit="100000 per minute",
    )


@pytest.fixture(scope="session")
def started_insurers() -> Iterator[dict[str, Insurer]]:
    """Two insurers, started once for the tests of this process."""
    doubles = {}
    for code, outbound in SECRETS.items():
        entry = {"code": code, "partner": f"{code}-core", "secret": outbound, "outbound_secret": outbound}
        platform = {"exchange_url": "http://127.0.0.1:9", "package_public_keys": {}}
        doubles[code] = Insurer(entry, platform)
        doubles[code].start()
    yield doubles
    for double in doubles.values():
        double.stop()


@pytest.fixture
def insurers(started_insurers: dict[str, Insurer]) -> dict[str, Insurer]:
    """With empty books and good manners."""
    for double in started_insurers.values():
        double.faults.clear()
        double.book.settings = InsurerSettings()
        double.book.ledger._rows.clear()
    return started_insurers


@pytest.fixture
def night(
    runtime: Runtime, client: FlaskClient, drain_all: DrainAll, world: World, insurers: dict[str, Insurer]
) -> Night:
    """Two hospitals and two insurers without any row yet."""
    with runtime.work() as work:
        for code, double in insurers.items():
            config = {"url": double.url, "mails": [f"{code.lower()}@example.com"], "phones": ["13900000001"]}
            put_party(work, NewParty("insurer", code, code, config, SECRETS[code]))
    return Night(runtime, client, drain_all, world, insurers)
