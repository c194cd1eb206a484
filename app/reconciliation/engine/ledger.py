"""One party's book of a business date, by columns: good rows to compare, bad rows to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from app.reconciliation.engine import clearing_numbers

HOSPITAL, PLATFORM, INSURER = "hospital", "platform", "insurer"
PARTIES = (HOSPITAL, PLATFORM, INSURER)
OWNERS = (HOSPITAL, INSURER)  # columns that a ledger may carry: whose statement a row belongs to
REQUIRED = ("clearing_no", "amount_fen", "status")
OPTIONAL = ("kind", *OWNERS)

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
        columns = [_number(frame), _amount(frame), _status(frame, statuses), _line(frame)]
        others = [name for name in (*OWNERS, "fault") if name in frame.columns]
        judged = frame.select(*columns, *others)
        faults = _faults(judged)
        judged = judged.drop("fault", strict=False)
        if faults is None:
            return cls(judged, pl.DataFrame(schema=BAD_ROW_SCHEMA))
        good = faults.is_null()
        bad = judged.select("line", faults, "amount_fen").filter(~good)
        return cls(judged.filter(good), bad)

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


def _digits_only(name: str) -> pl.Expr:
    """Text to UInt64; null for what is not digits alone. The cast lets a leading plus through, which sorts before 0."""
    text = pl.col(name)
    return pl.when(text >= "0").then(text.cast(pl.UInt64, strict=False))


def _number(frame: pl.DataFrame) -> pl.Expr:
    if frame.schema["clearing_no"] != pl.String:
        number = pl.col("clearing_no").cast(pl.UInt64, strict=False)
        return pl.when(number < 10**19).then(number).alias("number")
    of_19_bytes = pl.col("clearing_no").str.len_bytes() == 19
    return pl.when(of_19_bytes).then(_digits_only("clearing_no")).alias("number")


def _amount(frame: pl.DataFrame) -> pl.Expr:
    if frame.schema["amount_fen"] == pl.String:
        return _digits_only("amount_fen").cast(pl.Int64, strict=False)
    amount = pl.col("amount_fen").cast(pl.Int64, strict=False)
    return pl.when(amount >= 0).then(amount).alias("amount_fen")


def _status(frame: pl.DataFrame, statuses: Mapping[str, str] | None) -> pl.Expr:
    status = pl.col("status")
    if statuses:
        status = status.replace(dict(statuses))
    if "kind" in frame.columns:
        kind = pl.col("kind").fill_null(_PAY)
        other = pl.when(status != "").then(pl.concat_str(kind, pl.lit(":"), status))
        status = pl.when(kind == _PAY).then(status).otherwise(other)
    return status.alias("status")


def _line(frame: pl.DataFrame) -> pl.Expr:
    if "line" in frame.columns:
        return pl.col("line").cast(pl.UInt32)
    return pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("line")


def _faults(judged: pl.DataFrame) -> pl.Series | None:
    """The first fault of each row, null for a good one; None if all are good."""
    number = judged["number"]
    valid = pl.Series(clearing_numbers.are_valid(number.fill_null(1).to_numpy()))  # 1 has a wrong check digit
    status_given = judged["status"].fill_null("") != ""
    known = judged["fault"] if "fault" in judged.columns else pl.Series([None], dtype=pl.String)
    if valid.all() and judged["amount_fen"].null_count() + known.is_not_null().sum() == 0 and status_given.all():
        return None
    fault = (
        pl.when(known.is_not_null())
        .then(known)
        .when(~valid)
        .then(pl.lit("clearing_no"))
        .when(judged["amount_fen"].is_null())
        .then(pl.lit("amount_fen"))
        .when(~status_given)
        .then(pl.lit("status"))
    )
    return judged.select(fault.alias("reason"))["reason"]
