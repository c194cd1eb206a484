"""The town of the tests, with servers and a worker of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.core import tasks
from app.core.log import configure_log
from app.core.tasks import Lease
from app.factory import create_app
from app.wiring import make_gateways
from bench.ground import servers
from mock_wechat.server import WeChat
from tests.app.identity.kit import Clinic
from tests.app.kit import runtime_on
from tests.app.town import Front, Town, make_settings, peopled
from tests.app.world import make_world
from workers.bell import Bell
from workers.context import Context
from workers.drain import drain_with


class Worker:
    """`worker(*kinds)` works until nothing of these kinds (without any: of every kind) is due; how many rounds."""

    def __init__(self, here: Context) -> None:
        self._here = here

    def __call__(self, *kinds: str) -> int:
        rounds = 0
        while due := self._due(kinds):
            for kind in due:
                drain_with(self._here, kind)
            rounds += 1
        return rounds

    def _due(self, kinds: tuple[str, ...]) -> list[str]:
        with self._here.runtime.read() as session:
            return [kind for kind in tasks.due_kinds(session) if not kinds or kind in kinds]


@contextmanager
def opened() -> Iterator[Town]:
    wechat_world = make_world()["wechat"] | {"settings": {"ladder_factor": 0.01, "refund_takes_s": 0.0}}
    front = Front()
    with servers() as ground, WeChat(wechat_world) as wechat:
        url = ground.new_database()
        with runtime_on(make_settings(url, ground.redis_url, wechat, front)) as runtime:
            lease = Lease(url)
            here = Context(runtime, make_gateways(runtime.settings), Bell(ground.redis_url), lease)
            client, worker = create_app(runtime).test_client(), Worker(here)
            configure_log("ERROR")  # each impostor would be a warning
            with peopled(runtime, client, front) as partners:
                clinic = Clinic(runtime, client, wechat, partners.world, worker)
                yield Town(clinic, worker, partners.insurers, partners.bank)
            lease.drop()
            runtime.database.dispose()
        ground.drop(url)
    front.stop()
