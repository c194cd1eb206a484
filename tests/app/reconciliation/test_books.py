"""Books from batches and files, packed and joined without losing a row."""

from __future__ import annotations

from typing import Any

import pytest

from app.reconciliation import books
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.engine.ledger_file import LedgerFileError
from mock_partners.books import COLUMNS, csv_file
from tests.app.reconciliation.kit import number


def _rows(*data: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "ledger", "key": str(place), "version": 1, "data": one} for place, one in enumerate(data)]


def _row(ordinal: int, **other: Any) -> dict[str, Any]:
    row = {"clearing_no": number(ordinal), "kind": "pay", "amount_fen": ordinal * 100, "status": "settled"}
    return row | other


def _same(one: Ledger, other: Ledger) -> bool:
    return one.rows.equals(other.rows) and one.bad_rows.equals(other.bad_rows)


WRONG: list[tuple[dict[str, Any], str | None]] = [
    ({"clearing_no": None}, "clearing_no"),
    ({"clearing_no": int(number(1)[:-1])}, "clearing_no"),
    ({"clearing_no": number(1)[:-1] + "٣"}, "clearing_no"),
    ({"amount_fen": -1}, "amount_fen"),
    ({"amount_fen": 1.5}, "amount_fen"),
    ({"amount_fen": True}, "amount_fen"),
    ({"amount_fen": 2**63}, "amount_fen"),
    ({"amount_fen": None}, "amount_fen"),
    ({"amount_fen": []}, "amount_fen"),
    ({"status": None}, "status"),
    ({"status": 3}, None),
    ({"kind": "gift"}, "columns"),
    ({"kind": None}, "columns"),
]


@pytest.mark.parametrize(("wrong", "reason"), WRONG)
def test_a_wrong_row_is_bad_with_its_place_and_stops_nobody(wrong: dict[str, Any], reason: str | None) -> None:
    book = books.from_rows(_rows(_row(1), _row(2, **wrong), _row(3)))
    assert dict(book.bad_rows.select("line", "reason").iter_rows()) == ({2: reason} if reason else {})
    assert book.declared == 3
    assert books.verdicts(book, ["a", "b", "c"]) == [("a", None), ("b", reason), ("c", None)]


def test_a_row_with_nothing_in_it_is_bad() -> None:
    assert books.from_rows(_rows({})).bad_rows["reason"].to_list() == ["clearing_no"]


@pytest.mark.parametrize("rows", [[], [_row(1)], [_row(1), _row(2, amount_fen=None), _row(1)]])
def test_packing_keeps_every_row(rows: list[dict[str, Any]]) -> None:
    book = books.from_rows(_rows(*rows))
    assert _same(books.unpack(books.pack(book)), book)


def test_joined_batches_count_their_lines_on() -> None:
    first = books.from_rows(_rows(_row(1), _row(2, status=None)))
    second = books.from_rows(_rows(_row(3, amount_fen=None), _row(4)))
    whole = books.joined([first, second])
    assert _same(whole, books.from_rows(_rows(_row(1), _row(2, status=None), _row(3, amount_fen=None), _row(4))))


def test_the_books_of_one_role_keep_whose_they_are() -> None:
    first = books.from_rows(_rows(_row(1), _row(2, status="refunded")))
    second = books.from_rows(_rows(_row(3, status=None), _row(4, kind="reverse")))
    whole, starts = books.of_role("hospital", [("H1", first), ("H2", second)])
    assert starts == [("H1", 0), ("H2", 2)]
    assert whole.rows.select("hospital", "status", "line").rows() == [
        ("H1", "ok", 1),
        ("H1", "undone", 2),
        ("H2", "reverse:ok", 4),
    ]
    assert whole.bad_rows["line"].to_list() == [3]


def test_a_file_needs_its_trailer() -> None:
    rows = [_row(1) | {"original_clearing_no": "", "at": "2026-11-20T12:00:00+08:00"}]
    assert books.from_csv(csv_file(COLUMNS, rows).encode()).declared == 1
    for fault, code in (("no_trailer", "no_trailer"), ("count", "declared")):
        with pytest.raises(LedgerFileError) as refused:
            books.from_csv(csv_file(COLUMNS, rows, fault).encode())
        assert refused.value.code == code
    with pytest.raises(LedgerFileError) as refused:
        books.from_csv(b"")
    assert refused.value.code == "no_trailer"
