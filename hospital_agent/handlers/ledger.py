"""The partner's ledger of a business date, from its own books, read at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from hospital_agent import log
from hospital_agent.batch import Parcel, Row
from hospital_agent.canonical import sha256_hex
from hospital_agent.commands import Call, Handler
from hospital_agent.errors import BadValue, Refused, Temporary
from hospital_agent.mapping.model import Entity, Record
from hospital_agent.source.idle import IdleTime
from hospital_agent.source.records import Reading, Records, read_rows
from hospital_agent.store.registry import Clearing, Clearings
from hospital_agent.store.spool import Spool

STATEMENT_TIMEOUT_MS = 30_000


class Ledger:
    """Handles `collect_ledger`. A ledger is always pushed whole, an empty one too: no file and no rows differ."""

    def __init__(
        self, idle: IdleTime, spool: Spool, clearings: Clearings, wait_sent: Callable[[Sequence[int]], None]
    ) -> None:
        self._idle, self._spool, self._clearings, self._wait_sent = idle, spool, clearings, wait_sent
        self._mapping = idle.source.mapping

    def handlers(self) -> dict[str, Handler]:
        return {"collect_ledger": self.collect}

    def collect(self, call: Call) -> Mapping[str, Any]:
        """Answers the last batch number, all batch numbers, and count and sum over all of them. Asked for `totals`
        it pushes nothing: count, sum and hash tell the platform whether it needs the rows at all. Raises NotNow while
        the source is busy: the platform asks again."""
        day = _day(call["business_date"])
        reading = self.read(day)
        if call.command.body.get("totals") is True:
            return _totals(reading)
        for bad in self._spool.note_bad(reading.bad):
            log.warning("bad_row", type=bad[0], key=bad[1], reason=bad[2])
        numbers = self._spool.put(Parcel("ledger", day.isoformat(), reading.rows, self._spool.position(), whole=True))
        self._wait_sent(numbers)
        return {
            "batch_no": numbers[-1],
            "batch_nos": numbers,
            "count": len(reading.rows),
            "amount_fen": sum(row.data["amount_fen"] for row in reading.rows),
            "bad": len(reading.bad),
        }

    def read(self, day: date) -> Reading:
        """The rows of the clearing numbers we hold for the day, then those the partner booked itself."""
        reading = Reading()
        clearings = self._clearings.on(day.isoformat())
        with self._idle.reading(STATEMENT_TIMEOUT_MS, business_date=day) as records:
            if borne := self._mapping.ledger.get("borne"):
                self._borne(records, borne, clearings, reading)
            if own := self._mapping.ledger.get("own"):
                self._own(records, own, day, reading)
        return reading

    def _borne(self, records: Records, entity: Entity, clearings: Sequence[Clearing], reading: Reading) -> None:
        """What the patient bore, per clearing number. A bill that the books do not have gives no row."""
        conventions = self._mapping.conventions
        bills = list({c.bill_key for c in clearings})
        found: dict[str, Record] = {entity.row_key(r, conventions): r for r in records.where(entity, entity.key, bills)}
        for clearing in clearings:
            record = found.get(clearing.bill_key)
            if record is None:
                continue
            try:
                data = entity.data(record, conventions)
            except BadValue as error:
                reading.bad.append(("ledger", clearing.clearing_no, str(error)))
                continue
            head = {
                "clearing_no": clearing.clearing_no,
                "kind": clearing.kind,
                "original_clearing_no": clearing.original_clearing_no,
            }
            reading.rows.append(Row("ledger", clearing.clearing_no, head | data))

    def _own(self, records: Records, entity: Entity, day: date, reading: Reading) -> None:
        """Raises Temporary where the books do not say which rows are the day's: that is no empty ledger."""
        own = Reading()
        try:
            found = records.of_day(entity, day)
        except BadValue as error:
            log.warning("business_date_unreadable", column=entity.business_date, reason=str(error))
            raise Temporary("business_date_unreadable") from error
        read_rows(self._mapping, entity, found, own)
        reading.rows.extend(Row("ledger", f"own-{row.key}", row.data) for row in own.rows)
        reading.bad.extend(("ledger", f"own-{key}", reason) for _, key, reason in own.bad)


def _totals(reading: Reading) -> dict[str, Any]:
    """The hash is over the sorted lines `clearing_no,kind,amount_fen,status` of all rows."""
    rows = [row.data for row in reading.rows]
    lines = sorted(f"{r['clearing_no']},{r.get('kind', 'pay')},{r['amount_fen']},{r['status']}\n" for r in rows)
    return {
        "count": len(rows),
        "amount_fen": sum(row["amount_fen"] for row in rows),
        "sha256": sha256_hex("".join(lines)),
        "bad": len(reading.bad),
    }


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise Refused("malformed_command", "business_date") from error
