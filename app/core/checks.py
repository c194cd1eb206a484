"""The nightly look at every row that carries money or a decision: does its keyed check field still fit?"""

from __future__ import annotations

from collections.abc import Iterator
from hmac import compare_digest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import Base, Checked
from app.core.privacy import Privacy

_BATCH = 2000


def checked_models() -> list[type[Any]]:
    """Every table with a check field that is known to this process, by name."""
    models = {mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Checked)}
    return sorted(models, key=lambda model: model.__tablename__)


def tampered(session: Session, privacy: Privacy, model: type[Any]) -> Iterator[str]:
    """`table:id` of each row of one table whose key columns were changed behind the program's back."""
    table = model.__tablename__
    names = model.check_over
    columns = [model.id, model.check_field, *(getattr(model, name) for name in names)]
    # Behind the last id instead of one long cursor: a night's look must not hold back the database's housekeeping.
    last = None
    while True:
        wanted = select(*columns).order_by(model.id).limit(_BATCH)
        rows = session.execute(wanted if last is None else wanted.where(model.id > last)).all()
        if not rows:
            return
        for row_id, check_field, *values in rows:
            expected = privacy.check(table, dict(zip(names, values, strict=True)))
            if not compare_digest(check_field, expected):
                yield f"{table}:{row_id}"
        last = rows[-1][0]
