"""Scripted ends: what becomes of a refund or a transfer with a certain number, told before it happens."""

from __future__ import annotations

from typing import Any

from mock_wechat.ground import Ground


class Outcomes:
    """`set("R1", {"status": "ABNORMAL"})` for a refund, `set("P1", {"fail_reason": "ACCOUNT_FROZEN"})` for a transfer.

    The number "*" stands for the next one, whichever it is.
    """

    def __init__(self, ground: Ground) -> None:
        self._table = ground.table("outcome")

    def set(self, out_no: str, outcome: dict[str, Any]) -> None:
        self._table.put(out_no, outcome)

    def take(self, out_no: str) -> dict[str, Any]:
        """The outcome scripted for a number, once; {} if none is."""
        return self._table.pop(out_no, None) or self._table.pop("*", None) or {}
