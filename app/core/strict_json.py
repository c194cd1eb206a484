"""Reading JSON that anybody may have written: what Python or PostgreSQL could not keep is refused here, once."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import Any

from pydantic import AfterValidator, BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError, from_json

# What may be beyond every number: digits or an exponent of that length where a number can begin.
_HUGE = re.compile(r"[\[:,\s]-?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{3}|[0-9]{200}|NaN|Infinity|^-?[0-9]")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ZERO = Decimal()


def read_json(text: str | bytes) -> Any:
    """Raises ValueError also for what the standard reader takes or falls over: nesting without end (RecursionError),
    half a surrogate pair (cannot be encoded), NaN and infinity (are not JSON), U+0000 (cannot be stored)."""
    text = text.decode() if isinstance(text, bytes) else text
    if holds_nul(text):
        raise ValueError("U+0000")
    found = from_json(text, allow_inf_nan=False)
    if not is_finite(found, text):
        raise ValueError("beyond every number")
    return found


def holds_nul(json_text: str) -> bool:
    """Whether a string in this JSON text holds U+0000, which PostgreSQL cannot keep in a text."""
    # Most texts hold no escape at all, which is seen at once.
    return "\\" in json_text and "\\u0000" in json_text and _NUL.search(json_text) is not None


def is_finite(given: Any, json_text: str) -> bool:
    """Whether every number in this value, or contract, is one: readers take `1e400` for infinity and some take NaN. It
    is looked for only where the text it was read from may hold such a number."""
    if _HUGE.search(json_text) is None:
        return True
    waiting = [given]
    while waiting:
        value = waiting.pop()
        if isinstance(value, float) and not isfinite(value):
            return False
        if isinstance(value, BaseModel):
            waiting.extend(vars(value).values())
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return True


def _written(value: Any) -> Any:
    if isinstance(value, str) and value.isascii():
        return value
    raise PydanticCustomError("decimal_text", "not written as a decimal")


def _plain_zero(value: Decimal) -> Decimal:
    return value or _ZERO


# For a Decimal in a contract: `0e1100000000` has few enough digits and is nothing, and no NUMERIC can take it.
PlainZero = AfterValidator(_plain_zero)

# For a Decimal that travels as text: a number in JSON is a float to many, and digits of other scripts are none to us.
WrittenDecimal = BeforeValidator(_written)
