"""Numbers have no gaps, and whoever has the higher one committed later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy
from sqlalchemy.orm import Session

from app.core.sequence import next_no
from tests.app.kit import Thread


@pytest.fixture
def engine(fresh_database_url: str) -> Iterator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(fresh_database_url, pool_size=20)
    yield engine
    engine.dispose()


def test_a_series_begins_at_one_and_is_its_own(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        assert [next_no(session, "a"), next_no(session, "a", 3), next_no(session, "a")] == [1, 2, 5]
        assert next_no(session, "b") == 1


def test_a_number_that_was_rolled_back_is_given_again(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        next_no(session, "a")
        session.commit()
        next_no(session, "a", 7)
        session.rollback()
        assert next_no(session, "a") == 2


def test_concurrent_takers_leave_no_gap_and_none_overtakes(engine: sqlalchemy.Engine) -> None:
    """A number is visible only after every smaller one."""

    def take(times: int) -> list[int]:
        found = []
        for turn in range(times):
            with Session(engine) as session:
                number = next_no(session, "a")
                session.execute(sqlalchemy.text("SELECT pg_sleep(0.001)"))
                if turn % 5 == 4:
                    session.rollback()
                    continue
                session.commit()
                found.append(number)
        return found

    threads = [Thread(lambda: take(20)) for _ in range(5)]
    taken = sorted(number for thread in threads for number in thread.result(30))
    assert taken == list(range(1, len(taken) + 1))


def test_the_next_taker_waits_for_the_commit(engine: sqlalchemy.Engine) -> None:
    order: list[str] = []
    with Session(engine) as first:
        next_no(first, "a")

        def second() -> int:
            with Session(engine) as session:
                number = next_no(session, "a")
                order.append("second")
                session.commit()
                return number

        thread = Thread(second)
        thread.join(0.2)
        order.append("first")
        first.commit()
    assert thread.result() == 2
    assert order == ["first", "second"]
