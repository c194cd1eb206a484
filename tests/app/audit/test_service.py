from __future__ import annotations

from uuid import uuid4

import pytest

from app.audit import queries, service
from app.audit.service import ChainReport
from app.core.work import Runtime
from tests.app.kit import DrainAll, run, value

ORDER = "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_entry WHERE seq IS NOT NULL"


def note(runtime: Runtime, *actions: str) -> None:
    with runtime.work() as work:
        for action in actions:
            work.audit(action, "test", uuid4(), number=1, text="直赔")


def seal(runtime: Runtime) -> int:
    with runtime.work() as work:
        return service.seal(work)


def verify(runtime: Runtime) -> ChainReport:
    with runtime.read() as session:
        return service.verify(session)


def test_entries_are_chained_in_order_and_the_chain_holds(runtime: Runtime) -> None:
    note(runtime, "a", "b")
    note(runtime, "c")
    assert verify(runtime) == ChainReport(0, 3, None)
    assert seal(runtime) == 3
    note(runtime, "d")
    assert (seal(runtime), seal(runtime)) == (1, 0)
    assert value(runtime, ORDER) == "a b c d"
    assert verify(runtime) == ChainReport(4, 0, None)


def test_nothing_is_chained_past_a_transaction_that_still_runs(runtime: Runtime) -> None:
    with runtime.work() as slow:
        slow.audit("slow", "test", uuid4())
        slow.write()
        slow._facts.clear()
        note(runtime, "quick")
        assert seal(runtime) == 0
    note(runtime, "last")
    assert seal(runtime) == 3
    assert value(runtime, ORDER) == "slow quick last"
    assert verify(runtime).broken_at is None


def test_a_second_sealer_does_nothing(runtime: Runtime) -> None:
    note(runtime, "a")
    with runtime.work() as first:
        first.session.begin_nested()
        assert service.seal(first) == 1
        assert seal(runtime) == 0
    assert verify(runtime) == ChainReport(1, 0, None)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_entry SET action = 'x' WHERE seq = 3",
        "UPDATE audit_entry SET actor_id = 'somebody' WHERE seq = 3",
        "UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 3",
        "UPDATE audit_entry SET detail = '{}' WHERE seq = 3",
        "UPDATE audit_entry SET to_status = 'paid' WHERE seq = 3",
        "UPDATE audit_entry SET hash = repeat('0', 64) WHERE seq = 3",
        "UPDATE audit_entry SET prev_hash = repeat('0', 64) WHERE seq = 3",
        "DELETE FROM audit_entry WHERE seq = 3",
    ],
)
def test_the_entry_that_was_changed_is_named(runtime: Runtime, harm: str) -> None:
    note(runtime, "a", "b", "c", "d", "e")
    seal(runtime)
    run(runtime, harm)
    assert verify(runtime).broken_at == 3


def test_swapped_entries_are_named(runtime: Runtime) -> None:
    note(runtime, "a", "b", "c", "d")
    seal(runtime)
    run(runtime, "UPDATE audit_entry SET seq = -seq WHERE seq IN (2, 3)")
    run(runtime, "UPDATE audit_entry SET seq = 5 + seq WHERE seq < 0")
    assert value(runtime, ORDER) == "a c b d"
    assert verify(runtime).broken_at == 2


def test_the_sealer_is_a_task(runtime: Runtime, drain_all: DrainAll) -> None:
    note(runtime, "a", "b")
    with runtime.work() as work:
        work.later("audit.seal", None)
    drain_all("audit.seal")
    assert verify(runtime) == ChainReport(2, 0, None)


def test_a_timeline_is_the_history_of_a_row(runtime: Runtime) -> None:
    note(runtime, "read.something")
    with runtime.read() as session:
        assert queries.history(session, [uuid4()]) == []
