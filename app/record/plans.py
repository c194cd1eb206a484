"""How PostgreSQL plans its statements while batches are applied; each setting ends with the transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Select, func, select

from app.core.work import Work


def _setting(values: Mapping[str, str]) -> Select[*tuple[str, ...]]:
    return select(*(func.set_config(name, value, True) for name, value in values.items()))


_ANEW = _setting({"plan_cache_mode": "force_custom_plan", "enable_seqscan": "on"})
_ONCE = _setting({"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"})


def plan_anew(work: Work) -> None:
    """Each statement each time: a plan that was kept from when a table was small goes on reading all of it while it
    grows."""
    work.session.execute(_ANEW)


@contextmanager
def planned_once(work: Work) -> Iterator[None]:
    """For rows that are stored together: to plan their foreign keys anew for each would take twice as long as to store
    it. The one plan that is kept does not read a whole table, however small that is."""
    work.session.execute(_ONCE)
    yield
    plan_anew(work)
