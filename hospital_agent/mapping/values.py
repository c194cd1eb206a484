"""One source value into one value of ours, exactly or not at all.

Money, decimals, dates and times are converted without floats and without guessing: what does not fit raises BadValue,
whose text names the rule and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from hospital_agent.clock import rfc3339
from hospital_agent.errors import BadValue

TRUE, FALSE = frozenset({"true", "t", "1", "y", "yes"}), frozenset({"false", "f", "0", "n", "no", ""})
MAX_FEN = 10**12
_SORTS_BY_DAY = re.compile(r"\d{4}(-?)\d{2}\1\d{2}([T ][\d:.]*)?", re.ASCII)


def to_text(value: Any, encoding: str = "gb18030") -> str | None:
    """Text without trailing blanks; bytes are decoded as `encoding` (a driver that knows no better); "" is None."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            value = bytes(value).decode(encoding)
        except UnicodeDecodeError as error:
            raise BadValue(f"not {encoding} text") from error
    text = str(value).rstrip()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadValue("text with half a character") from error
    if "\x00" in text:
        raise BadValue("text with a zero byte")
    return text or None


def to_decimal(value: Any) -> Decimal:
    """An exact decimal. A float counts as its shortest text, so 77.49 is 77.49 and 0.1 + 0.2 is not 0.3."""
    if isinstance(value, bool):
        raise BadValue("not a number")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise BadValue("not a number") from error
    if not number.is_finite():
        raise BadValue("not a finite number")
    return number


def to_fen(value: Any, unit: str) -> int | None:
    """Whole fen from yuan or fen."""
    if value is None:
        return None
    fen = to_decimal(value) * (100 if unit == "yuan" else 1)
    if fen != fen.to_integral_value():
        raise BadValue("not a whole number of fen")
    if abs(fen) > MAX_FEN:
        raise BadValue("amount out of range")
    return int(fen)


def to_places(value: Any, places: int) -> str | None:
    """Decimal text with exactly `places` places; more non-zero places are refused, never rounded."""
    if value is None:
        return None
    number = to_decimal(value)
    if abs(number) >= Decimal(10) ** 20:
        raise BadValue("number out of range")
    fixed = number.quantize(Decimal(1).scaleb(-places)) if places else number.to_integral_value()
    if fixed != number:
        raise BadValue(f"more than {places} places")
    return format(fixed, "f")


def to_int(value: Any) -> int | None:
    if value is None:
        return None
    number = to_decimal(value)
    if number != number.to_integral_value():
        raise BadValue("not a whole number")
    return int(number)


def to_bool(value: Any) -> bool:
    text = "" if value is None else str(value).strip().lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise BadValue("not a yes or no")


def to_time(value: Any, zone: ZoneInfo) -> str | None:
    """RFC 3339 in UTC; a naive time is read in `zone`."""
    moment = _moment(value, zone)
    return None if moment is None else rfc3339(moment)


def to_date(value: Any, zone: ZoneInfo) -> str | None:
    """YYYY-MM-DD; of a date-time its date in `zone`."""
    if isinstance(value, str) and len(value.strip()) == 10:
        value = _parsed(date.fromisoformat, value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    moment = _moment(value, zone)
    return None if moment is None else moment.astimezone(zone).date().isoformat()


def day_span(day: date, like: Any, zone: ZoneInfo) -> tuple[Any, Any]:
    """Where `day` starts and ends in a column that holds `like`, in the column's form: between them, the end left out,
    lies what `to_date` reads as that day. Raises BadValue where it reads none, or the column does not sort by day."""
    if to_date(like, zone) is None:
        raise BadValue("no date")
    start, end = day, day + timedelta(days=1)
    if isinstance(like, str):
        found = _SORTS_BY_DAY.fullmatch(like.rstrip())
        if found is None:
            raise BadValue("text that does not sort by day, as 20261121 and 2026-11-21 do")
        form = f"%Y{found[1]}%m{found[1]}%d"
        return start.strftime(form), end.strftime(form)
    if isinstance(like, datetime):
        kept = zone if like.tzinfo else None
        return datetime.combine(start, time(), kept), datetime.combine(end, time(), kept)
    return start, end


def _moment(value: Any, zone: ZoneInfo) -> datetime | None:
    if isinstance(value, str):
        value = _parsed(datetime.fromisoformat, value) if value.strip() else None
    if value is None:
        return None
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise BadValue("not a time")
        value = datetime(value.year, value.month, value.day, tzinfo=zone)
    try:
        moment: datetime = value if value.tzinfo else value.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadValue("time out of range") from error


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text.strip())
    except ValueError as error:
        raise BadValue("not a date or time") from error
