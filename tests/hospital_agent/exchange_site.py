"""The real exchange on a loopback port, and configurations of agents that talk to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import tomli_w
from sqlalchemy import select
from werkzeug.serving import make_server

from app.core.work import Runtime
from app.exchange import service
from app.exchange.models import Batch, Command, Message
from app.factory import create_app
from hospital_agent import config
from tests.app.partner import World
from tests.hospital_agent.small_his import DAY, MAPPING

KINDS = ("verify_identity", "pull_patient", "read_visit", "list_ties", "tie_account", "collect_ledger", "register",
         "trial", "settle")  # fmt: skip
ROUTES: Mapping[str, tuple[str, ...]] = (
    {f"exchange.answered.{kind}": () for kind in KINDS}
    | {f"exchange.batch.{kind}": () for kind in ("catalogue", "record", "ledger")}
    | {"exchange.message.tie.revoked": ()}
)


@dataclass
class Platform:
    """The platform's side of a test: place commands, see answers, batches and rows."""

    url: str
    runtime: Runtime
    world: World

    def command(self, party: str, kind: str, body: dict[str, Any], *, lane: str = "pull", left_s: float = 0) -> UUID:
        terms: dict[str, Any] = {"lane": lane, "subject": uuid4()}
        with self.runtime.work() as work:
            if left_s:
                terms |= {"once": True, "deadline": work.now + timedelta(seconds=left_s)}
            return service.command(work, self.world.party[party], kind, body, **terms)

    def wait_answer(self, command_id: UUID) -> service.CommandAnswer:
        """The answer as soon as it is here."""

        def is_answered() -> bool:
            with self.runtime.read() as session:
                return session.scalar(select(Command.status).where(Command.id == command_id)) == "answered"

        wait_for(is_answered)
        with self.runtime.work() as work:
            return service.answer(work, command_id)

    def batches(self) -> list[tuple[UUID, int, str]]:
        """Id, number and kind of every batch that has come, by number."""
        with self.runtime.read() as session:
            found = session.execute(select(Batch.id, Batch.batch_no, Batch.kind).order_by(Batch.batch_no)).all()
            return [(row.id, row.batch_no, row.kind) for row in found]

    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of every message that has come."""
        with self.runtime.work() as work:
            found = [service.open_message(work, one) for one in work.session.scalars(select(Message.id))]
        return [(one.type, one.data) for one in found]

    def rows(self) -> list[dict[str, Any]]:
        """Every row that has come, in the order of the batches."""
        rows = []
        with self.runtime.work() as work:
            for batch_id, _, _ in self.batches():
                rows += service.open_batch(work, batch_id).rows
        return rows


def wait_for(look: Callable[[], Any], timeout_s: float = 60.0) -> Any:
    """What `look` finds as soon as it finds something."""
    ends_s = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < ends_s, "not in time"
        time.sleep(0.01)
    return found


@contextmanager
def serving(runtime: Runtime, port: int = 0) -> Iterator[str]:
    """The product over HTTP."""
    server = make_server("127.0.0.1", port, create_app(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_config(folder: Path, platform: Platform, party: str, **changes: Any) -> Path:
    """agent.toml of a party's agent; `changes` replace or add whole sections."""
    program = platform.world.partner[party]
    settings: dict[str, Any] = {
        "partner": program.code,
        "secret": program.secret,
        "exchange_url": platform.url,
        "store": f"{party}.sqlite",
        "business_date": DAY.isoformat(),
        "log_level": "WARNING",
        "bulk": {"interval_s": 0.2, "max_active": 50, "night": []},
        "commands": {"wait_ms": 100},
    }
    path = folder / f"{party}.toml"
    path.write_text(tomli_w.dumps(settings | changes), encoding="utf-8")
    path.chmod(0o600)
    return path


def hospital(folder: Path, platform: Platform, source_url: str, **changes: Any) -> Path:
    """agent.toml of H1 on the small hospital."""
    (folder / "small.mapping.toml").write_text(MAPPING, encoding="utf-8")
    source = {"database_url": source_url, "mapping": "small.mapping.toml"}
    his = {"url": "http://127.0.0.1:9", "timeout_s": 0.5}
    return write_config(folder, platform, "H1", **{"role": "hospital", "source": source, "his": his} | changes)


def load(path: Path) -> config.Config:
    return config.load(path)
