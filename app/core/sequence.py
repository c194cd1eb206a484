"""Numbers without gaps whose order is the order of commits: lines, claim numbers, clearing ordinals.

The row stays locked until the commit of whoever took a number, so nobody can commit in front of it, and a rolled-back
number is given again. A database sequence promises neither.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Table, bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base


class NumberSeries(Base):
    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(primary_key=True)
    last_no: Mapped[int] = mapped_column(BigInteger)


# Without the unit of work, and made once.
_SERIES = cast(Table, NumberSeries.__table__)
_FIRST = insert(_SERIES).values(name=bindparam("name"), last_no=bindparam("count"))
_TAKE = _FIRST.on_conflict_do_update(
    index_elements=["name"], set_={"last_no": _SERIES.c.last_no + _FIRST.excluded.last_no}
).returning(_SERIES.c.last_no)


def next_no(session: Session, name: str, count: int = 1) -> int:
    """The first of `count` fresh numbers of the series; the first ever is 1."""
    last: int = session.execute(_TAKE, {"name": name, "count": count}).scalar_one()
    return last - count + 1
