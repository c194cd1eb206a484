"""Numbers without gaps whose order is the order of commits: lines, claim numbers, clearing ordinals.

The row stays locked until the commit of whoever took a number, so nobody can commit in front of it, and a rolled-back
number is given again. A database sequence promises neither.
"""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base


class NumberSeries(Base):
    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(primary_key=True)
    last_no: Mapped[int] = mapped_column(BigInteger)


def next_no(session: Session, name: str, count: int = 1) -> int:
    """The first of `count` fresh numbers of the series; the first ever is 1."""
    first = insert(NumberSeries).values(name=name, last_no=count)
    taken = first.on_conflict_do_update(
        index_elements=["name"], set_={"last_no": NumberSeries.last_no + count}
    ).returning(NumberSeries.last_no)
    last: int = session.execute(taken).scalar_one()
    return last - count + 1
