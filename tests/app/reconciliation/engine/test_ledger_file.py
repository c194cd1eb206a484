"""Files as partners really send them: quotes, byte marks, gzip, broken lines, trailers that do not fit."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.engine.ledger_file import LedgerFileError, read_ledger, read_ledger_file
from tests.app.reconciliation.engine.books import HEADER, line, number
from tests.examples import costly


def read(path: Path, content: bytes | str, **options: str) -> Ledger:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_ledger_file(path, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.csv"


def bad(ledger: Ledger) -> list[tuple[int, str]]:
    return ledger.bad_rows.select("line", "reason").rows()


def good(ledger: Ledger) -> list[tuple[int, int, str]]:
    return ledger.rows.select("line", "amount_fen", "status").rows()


def with_trailer(body: bytes, **wrong: str) -> bytes:
    rows = body.count(b"\n") - 1
    fields = {"count": str(rows), "amount": str(100 * rows), "hash": hashlib.sha256(body).hexdigest()} | wrong
    return body + f"#TRAILER,{fields['count']},{fields['amount']},{fields['hash']}\n".encode()


BODY = (HEADER + line(1) + line(2)).encode()


def test_columns_are_found_by_name(path: Path) -> None:
    ledger = read(path, f"at,status,note,clearing_no,amount_fen\n,success,x,{number(1)},5\n")
    assert good(ledger) == [(2, 5, "success")]
    assert ledger.rows["number"].to_list() == [int(number(1))]


def test_every_bad_row_is_named_with_its_line(path: Path) -> None:
    rows = [
        line(1),
        "2026112100000000017,5,success\n",  # the check digit of ordinal 1 is 4
        f"{number(2)},-5,success\n",
        f"{number(3)},5,\n",
        f"+{number(4)[1:]},5,success\n",
        f"{number(5)},5\n",
        f"{number(6)},9223372036854775808,success\n",
        ",,\n",
        line(7),
    ]
    ledger = read(path, HEADER + "".join(rows))
    assert [place for place, *_ in good(ledger)] == [2, 10]
    assert bad(ledger) == [
        (3, "clearing_no"),
        (4, "amount_fen"),
        (5, "status"),
        (6, "clearing_no"),
        (7, "status"),
        (8, "amount_fen"),
        (9, "clearing_no"),
    ]
    assert ledger.declared == 9


@pytest.mark.parametrize("amount", ["+5", " 5", "\t5", "5\x00", "5 ", "-0", "5.0", "1e3", "", "1_000", "0x1", "５"])
def test_an_amount_is_digits_alone(path: Path, amount: str) -> None:
    assert bad(read(path, f"{HEADER}{number(1)},{amount},success\n")) == [(2, "amount_fen")]


@pytest.mark.parametrize("text", ["+26112100000000006", " 2026112100000000006", "02026112100000000006", "２" * 19])
def test_a_number_is_nineteen_digits_alone(path: Path, text: str) -> None:
    assert bad(read(path, f"{HEADER}{text},5,success\n")) == [(2, "clearing_no")]


def test_lines_without_a_character_are_no_rows_but_keep_their_number(path: Path) -> None:
    ledger = read(path, HEADER + line(1) + "\n\r\n" + line(2) + " \n\n\n")
    assert [place for place, *_ in good(ledger)] == [2, 5]
    assert bad(ledger) == [(6, "clearing_no")]


def test_byte_mark_and_line_ends_of_other_systems(path: Path) -> None:
    ledger = read(path, b"\xef\xbb\xbf" + BODY.replace(b"\n", b"\r\n"))
    assert good(ledger) == [(2, 100, "success"), (3, 100, "success")]
    assert ledger.bad_rows.is_empty()


def test_the_amount_may_stand_last(path: Path) -> None:
    assert good(read(path, f"clearing_no,status,amount_fen\r\n{number(1)},success,5\r\n")) == [(2, 5, "success")]


def test_quoted_fields(path: Path) -> None:
    ledger = read(path, f'"clearing_no","amount_fen","status"\n"{number(1)}","5","a, b"\n{number(2)},6,"say ""no"""\n')
    assert good(ledger) == [(2, 5, "a, b"), (3, 6, 'say "no"')]


def test_a_quote_that_does_not_close_spoils_its_own_line_only(path: Path) -> None:
    ledger = read(path, HEADER + f'{number(1)},5,"open\n' + line(2) + f'"{number(3)}",7,"x"y\n' + line(4))
    assert [place for place, *_ in good(ledger)] == [3, 5]
    assert bad(ledger) == [(2, "columns"), (4, "columns")]


def test_more_fields_than_the_header_has_do_not_matter(path: Path) -> None:
    assert good(read(path, HEADER + f"{number(1)},5,success,more,fields\n")) == [(2, 5, "success")]


def test_what_cannot_be_decoded_is_bad_with_its_line(path: Path) -> None:
    ledger = read(path, BODY + f"{number(3)},5,".encode() + b"\xff\n" + line(4, status="退费").encode())
    assert bad(ledger) == [(4, "encoding")]
    assert good(ledger)[-1] == (5, 100, "退费")


def test_gb18030(path: Path) -> None:
    text = HEADER + line(1, status="退费") + line(2, status="成功")
    assert [status for *_, status in good(read(path, text.encode("gb18030"), encoding="gb18030"))] == ["退费", "成功"]
    broken = (HEADER + line(1, status="退费")).encode("gb18030") + number(2).encode() + b",5,\x81\n" + line(3).encode()
    ledger = read(path, broken, encoding="gb18030")
    assert bad(ledger) == [(3, "encoding")]
    assert [place for place, *_ in good(ledger)] == [2, 4]


def test_gzip_is_recognised_by_its_content(path: Path) -> None:
    assert len(read(path, gzip.compress(with_trailer(BODY))).rows) == 2


@pytest.mark.parametrize(
    "content", [with_trailer(BODY), gzip.compress(with_trailer(BODY), mtime=0), BODY.replace(b"\n", b"\r\n")]
)
def test_the_bytes_of_an_answer_are_read_as_a_file(content: bytes) -> None:
    assert good(read_ledger(content)) == [(2, 100, "success"), (3, 100, "success")]


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), gzip.compress(BODY, mtime=0)[:-9]])
def test_an_answer_that_is_no_ledger_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerFileError):
        read_ledger(content)


def test_the_trailer_is_held_against_the_content(path: Path) -> None:
    for tail in (b"", b"\n", b"\r\n\n"):
        ledger = read(path, with_trailer(BODY) + tail)
        assert (len(ledger.rows), len(ledger.bad_rows)) == (2, 0)


@pytest.mark.parametrize("wrong", [{"count": "3"}, {"amount": "201"}, {"hash": "0" * 64}])
def test_a_trailer_that_does_not_fit_is_told(path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(LedgerFileError, match=next(iter(wrong))) as error:
        read(path, with_trailer(BODY, **wrong))
    assert error.value.code == "declared"


def test_amounts_of_bad_rows_belong_to_the_declared_sum(path: Path) -> None:
    body = BODY + f"{number(3)[:-1]}x,40,success\n{number(4)},x,success\n".encode()
    ledger = read(path, with_trailer(body, amount="240"))
    assert (ledger.declared, ledger.readable_fen) == (4, 240)


def test_a_trailer_that_cannot_be_read_is_told(path: Path) -> None:
    with pytest.raises(LedgerFileError, match="trailer"):
        read(path, BODY + b"#TRAILER,two\n")


def test_a_mark_in_the_middle_is_a_bad_row(path: Path) -> None:
    assert bad(read(path, BODY + b"#TRAILER,2,200,x\n" + line(3).encode())) == [(4, "clearing_no")]


def test_a_file_of_a_header_alone_is_an_empty_ledger(path: Path) -> None:
    assert read(path, HEADER).declared == 0
    assert read(path, HEADER.strip()).declared == 0


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b\x08broken", b"a,b,c\n1,2,3\n", b"clearing_no,amount_fen,status,status\n"]
)
def test_a_file_that_is_no_ledger_is_refused(path: Path, content: bytes) -> None:
    with pytest.raises(LedgerFileError):
        read(path, content)


def test_sums_go_beyond_64_bits(path: Path) -> None:
    greatest = 2**63 - 1
    assert read(path, HEADER + line(1, greatest) + line(2, greatest)).readable_fen == 2 * greatest


@costly
@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"{", HEADER.encode(), BODY, gzip.compress(BODY, mtime=0)[:30]]),
    st.booleans(),
)
def test_any_bytes_give_a_ledger_or_a_clear_refusal(path: Path, noise: bytes, start: bytes, packed: bool) -> None:
    assume(not noise.startswith(b"\xef\xbb\xbf"))  # the reader drops a byte mark also at the start of the first row
    content = start + noise
    path.write_bytes(gzip.compress(content) if packed else content)
    try:
        ledger = read_ledger_file(path)
    except LedgerFileError:
        return
    if content.startswith(b"{"):
        assert ledger.declared == sum(bool(one.strip()) for one in content.decode(errors="replace").split("\n"))
        return
    lines = content.split(b"\n")[1:]
    assert ledger.declared in (len([one for one in lines if one.strip(b"\r")]), len([one for one in lines if one]))


def json_lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_json_lines_are_the_same_book(path: Path, packed: bool, mark: bytes) -> None:
    rows: list[dict[str, object]] = [
        {"status": "已结算", "note": "x", "clearing_no": number(ordinal), "amount_fen": ordinal} for ordinal in (1, 2)
    ]
    content = mark + json_lines(rows).encode()
    ledger = read(path, gzip.compress(content) if packed else content)
    assert good(ledger) == [(1, 1, "已结算"), (2, 2, "已结算")]
    assert ledger.rows["number"].to_list() == [int(number(1)), int(number(2))]
    owned = read(path, json_lines([row | {"kind": "reverse", "hospital": "H1"} for row in rows]))
    assert good(owned)[0] == (1, 1, "reverse:已结算") and owned.rows["hospital"].to_list() == ["H1", "H1"]
    assert good(read(path, json_lines(rows).encode("gb18030"), encoding="gb18030"))[1] == (2, 2, "已结算")


def test_bad_json_lines_are_named_with_their_line(path: Path) -> None:
    fine = {"clearing_no": number(1), "amount_fen": 5, "status": "success"}
    lines: list[str] = [
        json.dumps(fine),
        "",
        *(json.dumps(fine | {"amount_fen": wrong}) for wrong in ("5", 5.0, True, None, -5, 2**63)),
        json.dumps(fine | {"clearing_no": int(number(1))}),
        json.dumps(fine | {"status": ""}),
        json.dumps(fine | {"status": "\ud800"}),
        "[1]",
        "{",
        '{"clearing_no": "1", "clearing_no": "2"}',
        "[" * 100_000,
        '{"amount_fen": ' + "9" * 10_000 + "}",
    ]
    ledger = read(path, "\r\n".join(lines).encode() + b'\n{"status": "\xff"}\n')
    assert good(ledger) == [(1, 5, "success")]
    reasons = dict(bad(ledger))
    assert [reasons[number] for number in range(3, 9)] == ["amount_fen"] * 6
    assert [reasons[number] for number in range(9, 18)] == [
        "clearing_no",
        *["status"] * 2,
        *["columns"] * 5,
        "encoding",
    ]


def test_json_lines_are_held_against_their_trailer(path: Path) -> None:
    body = json_lines([{"clearing_no": number(n), "amount_fen": 100, "status": "ok"} for n in range(3)]).encode()
    fits = with_trailer(b"\n" + body)[1:].replace(
        hashlib.sha256(b"\n" + body).hexdigest().encode(), hashlib.sha256(body).hexdigest().encode()
    )
    assert len(good(read(path, fits))) == 3
    with pytest.raises(LedgerFileError, match="amount"):
        read(path, fits.replace(b",300,", b",301,"))
