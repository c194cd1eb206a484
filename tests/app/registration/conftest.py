from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.app.house import client, gateways, house, house_world, mail, product, runtime, seeded, settings, sms, wechat
from tests.app.patients import House
from tests.app.registration.kit import Line

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


_LET_IN = """
INSERT INTO registration_line (hospital_id, let_in_no)
SELECT hospital_id, max(arrival_no) FROM appointment WHERE arrival_no IS NOT NULL GROUP BY hospital_id
ON CONFLICT (hospital_id) DO UPDATE SET let_in_no = excluded.let_in_no
"""


@pytest.fixture
def line(house: House) -> Line:
    """Empty lines: nothing of other tests waits in the hospitals' hands."""
    house.rows("UPDATE command SET status = 'withdrawn' WHERE status IN ('open', 'fetched')")
    house.rows("DELETE FROM registration")
    house.rows(_LET_IN)
    house.rows("DELETE FROM task")
    return Line(house)


@pytest.fixture
def m(house: House) -> Iterator[Callable[[int], None]]:
    """Say how many a poll takes."""
    settings = house.runtime.settings

    def say(batch: int) -> None:
        house.runtime.settings = settings.model_copy(update={"registration_batch": batch})

    yield say
    house.runtime.settings = settings
