from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import BigInteger, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.audit.models import AuditEntry
from app.core.db import Base, Checked
from app.core.errors import LostRace
from app.core.ids import new_id
from app.core.machine import Machine, Stateful
from app.core.work import Runtime
from tests.app.kit import Thread


class OwnBase(DeclarativeBase):
    """Tables of these tests only."""

    type_annotation_map = Base.type_annotation_map


class Parcel(Stateful, OwnBase):
    __tablename__ = "parcel"

    note: Mapped[str | None]


class Cheque(Stateful, Checked, OwnBase):
    __tablename__ = "cheque"
    check_over = ("id", "amount_fen")

    amount_fen: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str | None]


class State(StrEnum):
    NEW = "new"
    SENT = "sent"
    LOST = "lost"
    GONE = "gone"


TABLE = {
    (State.NEW, "send"): State.SENT,
    (State.NEW, "lose"): State.LOST,
    (State.SENT, "lose"): State.LOST,
    (State.LOST, "forget"): State.GONE,
}
parcels = Machine("parcel", Parcel, TABLE)
cheques = Machine("cheque", Cheque, TABLE)


@pytest.fixture(autouse=True)
def tables(runtime: Runtime) -> Iterator[None]:
    OwnBase.metadata.create_all(runtime.database.engine)
    yield
    OwnBase.metadata.drop_all(runtime.database.engine)


def parcel(runtime: Runtime, count: int = 1) -> list[UUID]:
    rows = [Parcel(id=new_id()) for _ in range(count)]
    with runtime.work() as work:
        for row in rows:
            parcels.start(work, row, State.NEW)
    return [row.id for row in rows]


def states(runtime: Runtime, ids: Sequence[UUID]) -> list[str]:
    with runtime.read() as session:
        found = dict(session.execute(select(Parcel.id, Parcel.status)).all())
    return [found[one] for one in ids]


def history(runtime: Runtime) -> list[tuple[Any, ...]]:
    with runtime.read() as session:
        wanted = select(AuditEntry.action, AuditEntry.from_status, AuditEntry.to_status).order_by(AuditEntry.id)
        return [tuple(row) for row in session.execute(wanted)]


def test_a_move_writes_state_time_values_and_history(runtime: Runtime) -> None:
    (one,) = parcel(runtime)
    with runtime.work() as work:
        moved = parcels.move(work, [one], "send", values={"note": "by post"}, reason="asked")
    assert [(m.id, m.old, m.new) for m in moved] == [(one, "new", "sent")]
    with runtime.read() as session:
        row = session.get(Parcel, one)
        assert row is not None
        assert (row.status, row.note, row.status_since) == ("sent", "by post", work.now)
        detail = session.scalar(select(AuditEntry.detail).where(AuditEntry.action == "parcel.send"))
    assert detail == {"reason": "asked"}
    assert history(runtime) == [("parcel.start", None, "new"), ("parcel.send", "new", "sent")]


def test_one_event_moves_rows_of_different_states(runtime: Runtime) -> None:
    first, second = parcel(runtime, 2)
    with runtime.work() as work:
        parcels.move(work, [first], "send")
        moved = parcels.move(work, [first, second], "lose")
    assert {m.id: m.old for m in moved} == {first: "sent", second: "new"}
    assert states(runtime, [first, second]) == ["lost", "lost"]


def test_a_lost_race_names_the_rows_and_undoes_everything(runtime: Runtime) -> None:
    first, second = parcel(runtime, 2)
    with runtime.work() as work:
        parcels.move(work, [second], "send")
    with pytest.raises(LostRace) as lost, runtime.work() as work:
        parcels.move(work, [first, second], "send")
    assert lost.value.ids == (second,)
    assert states(runtime, [first, second]) == ["new", "sent"]
    assert len(history(runtime)) == 3


def test_a_lenient_move_leaves_the_rest_alone(runtime: Runtime) -> None:
    first, second = parcel(runtime, 2)
    with runtime.work() as work:
        parcels.move(work, [second], "send")
    with runtime.work() as work:
        moved = parcels.move(work, [first, second, uuid4()], "send", lenient=True)
    assert [m.id for m in moved] == [first]
    with runtime.work() as work:
        assert parcels.move(work, [first], "send", lenient=True) == []
    assert len(history(runtime)) == 4


def test_of_two_at_once_one_wins(runtime: Runtime) -> None:
    ids = parcel(runtime, 20)

    def send(order: list[UUID]) -> int:
        with runtime.work() as work:
            return len(parcels.move(work, order, "send", lenient=True))

    threads = [Thread(partial(send, order)) for order in (ids, ids[::-1], ids[10:] + ids[:10])]
    assert sorted(thread.result() for thread in threads) == [0, 0, 20]


def test_what_is_not_in_the_table_is_refused(runtime: Runtime) -> None:
    (one,) = parcel(runtime)
    with pytest.raises(LostRace), runtime.work() as work:
        parcels.move(work, [one], "forget")
    with pytest.raises(ValueError, match="no event"), runtime.work() as work:
        parcels.move(work, [one], "burn")


def test_a_loaded_row_does_not_show_the_old_state(runtime: Runtime) -> None:
    (one,) = parcel(runtime)
    with runtime.work() as work:
        row = work.session.get(Parcel, one)
        assert row is not None
        parcels.move(work, [one], "send")
        assert row.status == "sent"


def test_a_change_made_in_the_same_work_is_not_lost(runtime: Runtime) -> None:
    (one,) = parcel(runtime)
    with runtime.work() as work:
        row = work.session.get(Parcel, one)
        assert row is not None
        row.note = "fragile"
        parcels.move(work, [one], "send")
    with runtime.read() as session:
        assert session.scalar(select(Parcel.note)) == "fragile"


def test_columns_under_a_check_field_are_not_set_by_a_move(runtime: Runtime) -> None:
    row = Cheque(id=new_id(), amount_fen=100)
    with runtime.work() as work:
        cheques.start(work, row, State.NEW)
    for event in ("send", "burn"):
        with pytest.raises(ValueError, match="check field"), runtime.work() as work:
            cheques.move(work, [row.id], event, values={"amount_fen": 1})
    with runtime.work() as work:
        cheques.move(work, [row.id], "send", values={"note": "no money"})


def test_the_check_field_follows_the_row(runtime: Runtime) -> None:
    row = Cheque(id=new_id(), amount_fen=100)
    with runtime.work() as work:
        cheques.start(work, row, State.NEW)
    with runtime.work() as work:
        kept = work.session.get(Cheque, row.id)
        assert kept is not None and kept.check_field == kept.check_value(runtime.privacy)
        before = kept.check_field
        kept.amount_fen = 200
    with runtime.read() as session:
        changed = session.get(Cheque, row.id)
        assert changed is not None and changed.check_field != before
        assert changed.check_field == changed.check_value(runtime.privacy)


class Letter(Stateful, OwnBase):
    __tablename__ = "letter"

    dedupe: Mapped[str] = mapped_column(unique=True)


letters = Machine("letter", Letter, {(State.NEW, "send"): State.SENT})


def test_a_row_starts_once_for_each_value_of_a_unique_column(runtime: Runtime) -> None:
    def start() -> bool:
        with runtime.work() as work:
            return letters.start_once(work, Letter(id=new_id(), dedupe="event-1"), State.NEW, unless=["dedupe"])

    assert sorted(thread.result() for thread in [Thread(start) for _ in range(4)]) == [False, False, False, True]
    with runtime.read() as session:
        (row,) = session.scalars(select(Letter)).all()
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == row.id)).all()
    assert (row.status, [entry.action for entry in entries]) == ("new", ["letter.start"])


def test_a_checked_row_does_not_start_so(runtime: Runtime) -> None:
    with runtime.work() as work, pytest.raises(ValueError, match="check field"):
        cheques.start_once(work, Cheque(id=new_id(), amount_fen=1), State.NEW, unless=["id"])
