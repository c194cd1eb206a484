"""The bank's own books: accounts, transfers by the caller's number, money that comes back, a statement per day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from mock_partners import books
from mock_partners.agenda import Agenda
from mock_partners.answers import Refused
from mock_partners.double import Double
from mock_partners.signing import Sender

ORDER = ("out_no", "from_account", "to_account", "to_name", "amount_fen", "remark")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Settings:
    """`finish_after_s` 0 answers with the final status at once and tells nothing later."""

    finish_after_s: float = 0.2
    return_after_s: float = 0.5
    business_date: str = ""


class Transfers:
    """accepted -> succeeded, or failed at once; a return is a booking of its own beside a transfer that succeeded."""

    def __init__(self, double: Double, sender: Sender, settings: Settings) -> None:
        self._double, self._sender, self.settings = double, sender, settings
        self._accounts = double.table("accounts")
        self._transfers = double.table("transfers")
        self._returns = double.table("returns")
        self._cards = double.table("cards")
        self.agenda = Agenda(double.table("agenda"), lambda key, _: self._go_on(key))

    def open(self, accounts: Iterable[str], balance_fen: int) -> None:
        for account in accounts:
            self._accounts.setdefault(account, {"balance_fen": balance_fen})

    def register(self, card: Mapping[str, Any]) -> None:
        """Make a payee's account known: its holder's name, and whether it is ok, closed or returns money."""
        self._cards.put(card["account"], {"name": card["name"], "state": card.get("state", "ok")})

    def find(self, out_no: str) -> dict[str, Any]:
        if out_no not in self._transfers:
            raise Refused(404, "transfer_unknown", "没有这笔转账")
        return self._transfers[out_no]

    def take(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Take an order, or give the answer to the same one again; raises Refused if our number is used otherwise."""
        order = {name: order[name] for name in ORDER}
        known = self._transfers.get(order["out_no"])
        if known:
            if any(known[name] != order[name] for name in ORDER):
                raise Refused(409, "out_no_reused", "该业务号已用于其他转账")
            return known
        if type(order["amount_fen"]) is not int or order["amount_fen"] <= 0:
            raise Refused(422, "amount_invalid", "金额不正确")
        if order["from_account"] not in self._accounts:
            raise Refused(422, "from_account_unknown", "付款账户不存在")
        transfer = {**order, "bank_no": f"BK{len(self._transfers) + 1:012d}", "status": "accepted", "reason": ""}
        transfer |= {"business_date": self._today(), "at": self._now()}
        if reason := self._objection(transfer):
            transfer |= {"status": "failed", "reason": reason}
        else:
            self._move(transfer["from_account"], -transfer["amount_fen"])
            self._take_time(transfer)
        self._transfers.put(transfer["out_no"], transfer)
        return transfer

    def statement(self, date: str) -> list[dict[str, Any]]:
        """Every booking of a business date, in order of the transfers."""
        rows = []
        for transfer in self._transfers.values():
            if transfer["business_date"] == date:
                rows.append({**transfer, "kind": "transfer"})
            back = self._returns.get(transfer["out_no"])
            if back and back["business_date"] == date:
                rows.append({**transfer, **back, "kind": "return", "status": "succeeded"})
        return rows

    def _objection(self, transfer: Mapping[str, Any]) -> str:
        card = self._cards.get(transfer["to_account"])
        if card is None and not books.luhn_valid(str(transfer["to_account"])):
            return "account_invalid"
        if card and card["name"] != transfer["to_name"]:
            return "name_mismatch"
        if card and card["state"] == "closed":
            return "account_closed"
        short = self._accounts[transfer["from_account"]]["balance_fen"] < transfer["amount_fen"]
        return "insufficient_balance" if short else ""

    def _take_time(self, transfer: dict[str, Any]) -> None:
        if self.settings.finish_after_s > 0:
            self.agenda.put(f"finish:{transfer['out_no']}", {}, in_s=self.settings.finish_after_s)
        else:
            transfer["status"] = "succeeded"
            self._perhaps_return(transfer)

    def _perhaps_return(self, transfer: Mapping[str, Any]) -> None:
        if self._cards.get(transfer["to_account"], {}).get("state") == "returns":
            self.agenda.put(f"return:{transfer['out_no']}", {}, in_s=self.settings.return_after_s)

    def _go_on(self, key: str) -> None:
        step, out_no = key.split(":", 1)
        with self._double.lock:
            transfer = self._transfers[out_no]
            if step == "finish" and transfer["status"] == "accepted":
                self._finish(transfer)
            elif step == "return" and out_no not in self._returns:
                self._return(transfer)

    def _finish(self, transfer: dict[str, Any]) -> None:
        out_no = transfer["out_no"]
        message = {"out_no": out_no, "status": "succeeded", "reason": ""}
        self._sender.post("bank.transfer_finished", out_no, message)
        transfer["status"] = "succeeded"
        self._transfers.put(transfer["out_no"], transfer)
        self._perhaps_return(transfer)

    def _return(self, transfer: dict[str, Any]) -> None:
        """The money comes back (退票): a booking of its own; the transfer stays succeeded with a reason."""
        out_no = transfer["out_no"]
        self._sender.post("bank.returned", out_no, {"out_no": out_no, "reason": "returned"})
        self._move(transfer["from_account"], transfer["amount_fen"])
        self._returns.put(transfer["out_no"], {"business_date": self._today(), "at": self._now()})
        self._transfers.put(transfer["out_no"], {**transfer, "reason": "returned"})

    def _move(self, account: str, by_fen: int) -> None:
        self._accounts.put(account, {"balance_fen": self._accounts[account]["balance_fen"] + by_fen})

    def _today(self) -> str:
        return self.settings.business_date or self._double.clock.now().astimezone(SHANGHAI).date().isoformat()

    def _now(self) -> str:
        return self._double.clock.now().isoformat(timespec="milliseconds")
