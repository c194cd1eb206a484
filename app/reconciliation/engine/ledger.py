"""One party's book of a business date, by columns: good rows to compare, bad rows to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from app.reconciliation.engine import clearing_numbers

HOSPITAL, PLATFORM, INSURER = "hospital", "platform", "insurer"
PARTIES = (HOSPITAL, PLATFORM, INSURER)
OWNERS = (HOSPITAL, INSURER)  # columns that a ledger may carry: whose statement a row belongs to
REQUIRED = ("clearing_no", "amount_fen", "status")
OPTIONAL = ("kind", *OWNERS)

ROW_SCHEMA = {"number": pl.UInt64, "amount_fen": pl.Int64, "status": pl.String, "line": pl.UInt32}
BAD_ROW_SCHEMA = {"line": pl.UInt32, "reason": pl.String, "amount_fen": pl.Int64}
_PAY = "pay"


@dataclass(frozen=True)
class Ledger:
    """Good rows in the party's own order, duplicates included.

    `rows`: number (UInt64), amount_fen (Int64), status (String), line (UInt32), and the columns of OWNERS it carries.
    `bad_rows`: line, reason (clearing_no, amount_fen, status, encoding, columns or owner), amount_fen if readable.
    An amount above 2**63 - 1 fen is no amount.
    """

    rows: pl.DataFrame
    bad_rows: pl.DataFrame

    @classmethod
    def empty(cls) -> Ledger:
        return cls(pl.DataFrame(schema=ROW_SCHEMA), pl.DataFrame(schema=BAD_ROW_SCHEMA))

    @property
    def declared(self) -> int:
        """Rows that the party handed in, good and bad."""
        return len(self.rows) + len(self.bad_rows)

    @property
    def readable_fen(self) -> int:
        """The sum of all amounts that can be read, also those of bad rows."""
        return exact_sum(self.rows["amount_fen"]) + exact_sum(self.bad_rows["amount_fen"])

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, *, statuses: Mapping[str, str] | None = None) -> Ledger:
        """Judge every row of a frame with clearing_no and amount_fen (text or integers) and status.

        Optional: kind (pay, reverse; a row that is no payment is compared as `kind:status`), hospital, insurer,
        line (1, 2, … if absent), fault (why a row is bad already, or null). `statuses` maps the partner's words to
        ours; a word it lacks stays as it is.
        """
        rows = pl.DataFrame(
            {
                "number": _numbers(frame["clearing_no"]),
                "amount_fen": _amounts(frame["amount_fen"]),
                "status": _statuses(frame, statuses),
                "line": frame["line"] if "line" in frame.columns else np.arange(1, len(frame) + 1, dtype=np.uint32),
                **{name: frame[name] for name in OWNERS if name in frame.columns},
            }
        )
        faults = _faults(rows, frame["fault"] if "fault" in frame.columns else None)
        if faults is None:
            return cls(rows, pl.DataFrame(schema=BAD_ROW_SCHEMA))
        good = faults.is_null()
        bad = rows.select("line", faults, "amount_fen").filter(~good)
        return cls(rows.filter(good), bad)

    def refuse(self, is_bad: pl.Series, reason: str) -> Ledger:
        """The same ledger with some of its good rows (a boolean column) declared bad."""
        bad = self.rows.filter(is_bad).select("line", pl.lit(reason).alias("reason"), "amount_fen")
        return Ledger(self.rows.filter(~is_bad), pl.concat([self.bad_rows, bad]).sort("line"))


def exact_sum(amounts: pl.Series) -> int:
    """The sum of an Int64 column, also beyond 64 bits."""
    greatest = amounts.max()
    if isinstance(greatest, int) and greatest * len(amounts) >= 2**63:
        amounts = amounts.cast(pl.Int128)
    return int(amounts.sum())


def _numbers(column: pl.Series) -> pl.Series:
    """To UInt64; null for what is not 19 digits alone."""
    numbers = column.cast(pl.UInt64, strict=False).rechunk()
    if column.dtype == pl.String:
        return _without(numbers, (column.str.len_bytes() != 19) | _is_signed(column))
    return _without(numbers, (numbers < 10**18) | (numbers >= 10**19))


def _amounts(column: pl.Series) -> pl.Series:
    """To Int64; null for what is not digits alone, and for more than fits."""
    if column.dtype == pl.String:
        return _without(column.cast(pl.Int64, strict=False), _is_signed(column))
    amounts = column.cast(pl.Int64, strict=False).rechunk()
    return _without(amounts, amounts < 0)


def _is_signed(column: pl.Series) -> pl.Series:
    """A cast from text lets signs through, and they sort before the digits."""
    return column < "0"


def _without(values: pl.Series, unwanted: pl.Series) -> pl.Series:
    if not unwanted.any():
        return values
    return pl.select(pl.when(~unwanted).then(values)).to_series()


def _statuses(frame: pl.DataFrame, words: Mapping[str, str] | None) -> pl.Series:
    status = pl.col("status")
    if words:
        status = status.replace(dict(words))
    if "kind" in frame.columns:
        kind = pl.col("kind").fill_null(_PAY)
        other = pl.when(status != "").then(pl.concat_str(kind, pl.lit(":"), status))
        status = pl.when(kind == _PAY).then(status).otherwise(other)
    return frame.select(status.alias("status")).to_series()


def _faults(rows: pl.DataFrame, known: pl.Series | None) -> pl.Series | None:
    """The first fault of each row, null for a good one; None if all are good."""
    number, amount, status = rows["number"], rows["amount_fen"], rows["status"]
    known_numbers = number.fill_null(1) if number.null_count() else number  # 1 has a wrong check digit
    valid = pl.Series(clearing_numbers.are_valid(known_numbers.to_numpy()))
    empty = status == ""
    nulls = amount.null_count() + status.null_count() + (0 if known is None else int(known.is_not_null().sum()))
    if nulls == 0 and valid.all() and not empty.any():
        return None
    fault: pl.Expr = (
        pl.when(~valid)
        .then(pl.lit("clearing_no"))
        .when(amount.is_null())
        .then(pl.lit("amount_fen"))
        .when(empty.fill_null(True))
        .then(pl.lit("status"))
    )
    if known is not None:
        fault = pl.coalesce(known, fault)
    return rows.select(fault.alias("reason")).to_series()
