"""A row that takes a line back is one that the platform takes."""

from __future__ import annotations

from app.record.contracts import FeeLineIn
from hospital_agent.batch import Parcel, Row
from hospital_agent.mapping.contract import ROW_FIELDS
from hospital_agent.store.lines import SentLine, is_zero, zero
from hospital_agent.store.spool import Spool

BILL = Row("bill", "B1", {"billed_on": "2026-11-21", "total_fen": 100})


def test_a_zero_row_fits_the_contract() -> None:
    row = zero(SentLine("B1-2", "B1", 2), BILL)
    assert row.data.keys() == ROW_FIELDS["fee_line"].names
    assert is_zero(row) and FeeLineIn.model_validate(row.data).line_no == 2


def test_lines_are_remembered_by_their_bill_until_they_are_taken_back(spool: Spool) -> None:
    line = Row("fee_line", "B1-2", {**zero(SentLine("B1-2", "B1", 2), BILL).data, "quantity": "1.0000"})
    for rows, known, changed in (
        ([BILL, line], [SentLine("B1-2", "B1", 2)], []),
        ([Row("bill", "B1", {"total_fen": 99})], [SentLine("B1-2", "B1", 2)], ["B1"]),
        ([zero(SentLine("B1-2", "B1", 2), BILL)], [], ["B1"]),
    ):
        spool.put(Parcel("record", "2026-11-21", rows, spool.position()))
        assert (spool.lines.of_bills(["B1"]), spool.lines.changed_bills()) == (known, changed)
