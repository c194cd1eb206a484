"""Fixtures for tests that need the whole house: the product on a port, WeChat, SMS and mail, and known patients.

A folder's conftest.py imports what it uses. One database for the tests of a module: each test brings people of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.serving import make_server

from app.core.local_server import free_port
from app.core.settings import Settings
from app.core.tasks import Task
from app.core.work import Runtime
from app.factory import create_app
from app.gateways import Gateways
from app.identity import seeding
from app.notification.rules import TEMPLATES
from app.wiring import make_gateways
from mock_partners.mail import Mail
from mock_partners.sms import Sms
from mock_wechat.keys import make_template_id
from mock_wechat.server import WeChat
from tests.app.kit import DrainAll, runtime_on
from tests.app.patients import House
from tests.app.world import make_world

COURIER_KEY = "courier-key"
QUICK = {"ladder_factor": 0.001, "refund_takes_s": 0.0, "refund_gap_s": 0.0, "answer_within_s": 5.0}


@pytest.fixture(scope="session")
def house_world() -> dict[str, Any]:
    """The small world with a template for each of our messages, and WeChat in a hurry."""
    world = make_world()
    for app in world["wechat"]["apps"]:
        app["templates"] = {key: make_template_id() for key in TEMPLATES}
    world["wechat"]["settings"] = dict(QUICK)
    return world


@pytest.fixture(scope="session")
def wechat(house_world: dict[str, Any]) -> Iterator[WeChat]:
    with WeChat(house_world["wechat"]) as double:
        yield double


@pytest.fixture(scope="session")
def sms() -> Iterator[Sms]:
    double = Sms({"key": COURIER_KEY})
    double.start()
    yield double
    double.stop()


@pytest.fixture(scope="session")
def mail() -> Iterator[Mail]:
    double = Mail({"key": COURIER_KEY})
    double.start()
    yield double
    double.stop()


@pytest.fixture(scope="module")
def settings(module_database_url: str, redis_url: str, wechat: WeChat, sms: Sms, mail: Mail) -> Settings:
    return Settings(
        database_url=module_database_url,
        redis_url=redis_url,
        public_url=f"http://127.0.0.1:{free_port()}",
        wechat_api_url=wechat.url,
        wechat_open_url=wechat.url,
        wechat_pay_url=wechat.url,
        sms_url=sms.url,
        sms_key=COURIER_KEY,
        mail_url=mail.url,
        mail_key=COURIER_KEY,
        partner_timeout_s=2.0,
        database_pool_size=20,
        caller_limit="100000 per minute",
        partner_limit="100000 per minute",
    )


@pytest.fixture(scope="module")
def runtime(settings: Settings) -> Iterator[Runtime]:
    with runtime_on(settings) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def gateways(settings: Settings) -> Gateways:
    return make_gateways(settings)


@pytest.fixture(scope="module")
def product(runtime: Runtime, gateways: Gateways, settings: Settings) -> Iterator[APIFlask]:
    """The product, listening where WeChat is told to push to."""
    app = create_app(runtime, gateways)
    server = make_server("127.0.0.1", int(settings.public_url.rpartition(":")[2]), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield app
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture(scope="module")
def client(product: APIFlask) -> FlaskClient:
    return product.test_client()


@pytest.fixture(scope="module")
def seeded(runtime: Runtime, house_world: dict[str, Any]) -> dict[str, Any]:
    with runtime.work() as work:
        seeding.seed(work, house_world | {"operators": []})
    return house_world


@pytest.fixture
def house(
    runtime: Runtime,
    client: FlaskClient,
    wechat: WeChat,
    sms: Sms,
    mail: Mail,
    seeded: dict[str, Any],
    drain_all: DrainAll,
) -> Iterator[House]:
    """Doubles that behave, until a test asks for something else, and nothing left to do by the tests before."""
    with runtime.work() as work:
        work.session.execute(delete(Task).where(Task.status == "due"))
    for app in wechat.ground.apps.values():
        app.callback_url = f"{runtime.settings.public_url}/wechat/callback/{app.app_id}" if app.kind == "oa" else ""
    yield House(runtime, client, wechat, seeded, drain_all, sms=sms, mail=mail)
    for double in (wechat, sms, mail):
        double.faults.clear()
    wechat.pusher.faults.clear()
    wechat.clock.offset_s = 0.0
    wechat.settings.change(QUICK | {"template_refusals": {}, "template_finish_s": 0.0})


__all__ = [
    "client",
    "gateways",
    "house",
    "house_world",
    "mail",
    "product",
    "runtime",
    "seeded",
    "settings",
    "sms",
    "wechat",
]
