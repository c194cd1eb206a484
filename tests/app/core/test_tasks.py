from __future__ import annotations

from app.core import tasks
from app.core.work import Runtime
from tests.app.kit import DrainAll


def test_drains(runtime: Runtime, drain_all: DrainAll) -> None:
    with runtime.work() as work:
        work.later("audit.seal", None)
    drain_all()
    with runtime.read() as session:
        assert tasks.due_kinds(session) == []
