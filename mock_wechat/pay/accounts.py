"""The merchants' money: the BASIC account takes orders and pays refunds, OPERATION pays transfers.

Each account of a merchant opens with the world's `balance_fen`. Every movement is an entry; the entries of a day are
the day's fund-flow bill. What a transfer has locked is frozen: it cannot be spent, and is no entry until it is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mock_wechat.ground import Ground
from mock_wechat.times import rfc3339

ACCOUNTS = ("BASIC", "OPERATION", "FEES")


@dataclass
class Movement:
    """Money in (`fen` > 0) or out (< 0) of one account; `business_no` is WeChat's, `voucher_no` the merchant's."""

    mchid: str
    account: str
    kind: str
    fen: int
    business_no: str
    voucher_no: str
    remark: str = ""


class Accounts:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._balances = ground.table("balance")
        self._entries = ground.table("entry")

    def balance(self, mchid: str, account: str) -> dict[str, Any]:
        """`balance_fen` and of it `frozen_fen`."""
        opening = self._ground.merchants[mchid].balance_fen if account != "FEES" else 0
        return self._balances.get(f"{mchid}:{account}") or {"balance_fen": opening, "frozen_fen": 0}

    def available(self, mchid: str, account: str) -> int:
        row = self.balance(mchid, account)
        return int(row["balance_fen"] - row["frozen_fen"])

    def freeze(self, mchid: str, account: str, fen: int) -> None:
        """Lock money for a transfer (`fen` > 0) or let it go (< 0)."""
        with self._ground.lock:
            row = self.balance(mchid, account)
            self._balances.put(f"{mchid}:{account}", {**row, "frozen_fen": row["frozen_fen"] + fen})

    def move(self, movement: Movement) -> None:
        with self._ground.lock:
            row = self.balance(movement.mchid, movement.account)
            balance_fen = row["balance_fen"] + movement.fen
            self._balances.put(f"{movement.mchid}:{movement.account}", {**row, "balance_fen": balance_fen})
            number = self._ground.number("entry")
            entry = {**vars(movement), "balance_fen": balance_fen, "at": rfc3339(self._ground.now())}
            entry |= {"date": self._ground.book_date(), "flow_no": f"{movement.mchid}{number:018d}"}
            self._entries.put(f"{number:09d}", entry)

    def entries(self, mchid: str, account: str, date: str) -> list[dict[str, Any]]:
        rows = self._entries.values()
        return [r for r in rows if r["mchid"] == mchid and r["account"] == account and r["date"] == date]
