"""The transfers themselves: their states, what moves them, and the money behind them.

ACCEPTED -> PROCESSING (the balance is short) -> WAIT_USER_CONFIRM -> TRANSFERING -> SUCCESS | FAIL;
before the payee confirms also -> CANCELING -> CANCELLED, and after 24 hours -> FAIL (OVERDUE_CLOSE).
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from mock_wechat.account.people import People
from mock_wechat.errors import PayError, PhoneError
from mock_wechat.ground import Ground
from mock_wechat.pay.accounts import Accounts, Movement
from mock_wechat.pay.notices import Notices
from mock_wechat.pay.outcomes import Outcomes
from mock_wechat.times import parse, rfc3339_ms, shanghai_date

FINAL = ("SUCCESS", "FAIL", "CANCELLED")
CANCELLABLE = ("ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM")


class TransferBook:
    def __init__(
        self, ground: Ground, people: People, accounts: Accounts, notices: Notices, outcomes: Outcomes
    ) -> None:
        self._ground, self._people, self._accounts = ground, people, accounts
        self._notices, self._outcomes = notices, outcomes
        self._rows = ground.table("transfer")
        self._open = {key for key, row in self._rows.items() if row["state"] not in FINAL}
        self._keys: dict[str, str] = {}
        for key, row in self._rows.items():
            self._index(key, row)
        ground.sweepers.append(self._sweep)

    def get(self, mchid: str, out_bill_no: str) -> dict[str, Any] | None:
        return self._rows.get(f"{mchid}:{out_bill_no}")

    def _index(self, key: str, row: dict[str, Any]) -> None:
        """Find a transfer by its package_info and either number; a number of two merchants' finds the later."""
        self._keys |= {row[name]: key for name in ("package_info", "transfer_bill_no", "out_bill_no")}

    def by_number(self, mchid: str, transfer_bill_no: str) -> dict[str, Any] | None:
        row = self._rows.get(self._keys.get(transfer_bill_no, ""))
        return row if row and row["mchid"] == mchid and row["transfer_bill_no"] == transfer_bill_no else None

    def all(self) -> list[dict[str, Any]]:
        return list(self._rows.values())

    def short(self, mchid: str, fen: int) -> bool:
        return self._accounts.available(mchid, self._ground.settings.transfer_account) < fen

    def payee_day_fen(self, mchid: str, openid: str) -> int:
        """What a payee was sent or may still receive today from one merchant."""
        today = shanghai_date(self._ground.now())
        return sum(
            row["wanted"]["transfer_amount"]
            for row in self._rows.values()
            if row["mchid"] == mchid
            and row["wanted"]["openid"] == openid
            and row["state"] not in ("FAIL", "CANCELLED")
            and shanghai_date(parse(row["create_time"])) == today
        )

    def open(self, mchid: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Enter a new transfer as ACCEPTED. Called with the lock held."""
        now = self._ground.now()
        number = "13300" + now.strftime("%Y%m%d") + f"{self._ground.number('transfer'):020d}"
        package = secrets.token_urlsafe(150)
        row = {"mchid": mchid, "out_bill_no": wanted["out_bill_no"], "transfer_bill_no": number, "wanted": wanted}
        row |= {"state": "ACCEPTED", "fail_reason": "", "package_info": package, "notify_url": wanted.get("notify_url")}
        row |= {"create_time": rfc3339_ms(now), "update_time": rfc3339_ms(now), "due": ""}
        key = f"{mchid}:{wanted['out_bill_no']}"
        self._rows.put(key, row)
        self._open.add(key)
        self._index(key, row)
        return row

    def advance(self, row: dict[str, Any], *, retry: bool = True) -> dict[str, Any]:
        """Bring a transfer as far as it can go now. `retry`: the merchant repeats the call, so lock the money."""
        key = f"{row['mchid']}:{row['out_bill_no']}"
        with self._ground.lock:
            row = self._rows[key]
            before = row["state"]
            if retry and row["state"] in ("ACCEPTED", "PROCESSING"):
                row = self._lock_money(row)
            if row["state"] == "WAIT_USER_CONFIRM" and self._ground.now() >= parse(row["due"]):
                row = self._end(row, "FAIL", "OVERDUE_CLOSE")
            elif row["state"] == "TRANSFERING" and self._ground.now() >= parse(row["due"]):
                row = self._pay(row)
            elif row["state"] == "CANCELING" and self._ground.now() >= parse(row["due"]):
                row = self._end(row, "CANCELLED", "")
        if row["state"] in FINAL and before not in FINAL:
            self._tell(row)
        return row

    def _lock_money(self, row: dict[str, Any]) -> dict[str, Any]:
        wanted, account = row["wanted"], self._ground.settings.transfer_account
        payee = self._people.get(self._people.find(wanted["appid"], wanted["openid"]) or "")
        if wanted["user_name"] and wanted["user_name"] != payee["name"]:
            return self._end(row, "FAIL", "NAME_NOT_CORRECT")
        if self.short(row["mchid"], wanted["transfer_amount"]):
            return self._put(row, state="PROCESSING")
        self._accounts.freeze(row["mchid"], account, wanted["transfer_amount"])
        due = self._ground.now() + timedelta(seconds=self._ground.settings.transfer_expires_s)
        return self._put(row, state="WAIT_USER_CONFIRM", due=rfc3339_ms(due), account=account)

    def confirmable(self, user: str, *, out_bill_no: str = "", package_info: str = "") -> dict[str, Any]:
        """The transfer that this user can confirm now, by its package_info or its number."""
        key = self._keys.get(package_info or out_bill_no, "")
        if not key:
            raise PhoneError(404, "transfer_unknown", "没有这笔转账")
        row = self.advance(self._rows[key], retry=False)
        wanted = row["wanted"]
        if self._people.find(wanted["appid"], wanted["openid"]) != user:
            raise PhoneError(403, "wrong_user", "你的微信号与商家指定的微信号不一致")
        if row["state"] != "WAIT_USER_CONFIRM":
            raise PhoneError(409, "not_confirmable", "该笔转账当前不能收款")
        return row

    def confirm(self, row: dict[str, Any]) -> dict[str, Any]:
        """The payee takes the money."""
        with self._ground.lock:
            row = self._rows[f"{row['mchid']}:{row['out_bill_no']}"]
            if row["state"] != "WAIT_USER_CONFIRM":
                raise PhoneError(409, "not_confirmable", "该笔转账当前不能收款")
            row = self._put(row, state="TRANSFERING", due=self._in(self._ground.settings.transfer_takes_s))
        return self.advance(row, retry=False)

    def cancel(self, row: dict[str, Any]) -> dict[str, Any]:
        with self._ground.lock:
            row = self._rows[f"{row['mchid']}:{row['out_bill_no']}"]
            if row["state"] in ("CANCELING", "CANCELLED"):
                return row
            if row["state"] not in CANCELLABLE:
                raise PayError(400, "INVALID_REQUEST", "当前单据状态不支持撤销")
            row = self._put(row, state="CANCELING", due=self._in(self._ground.settings.cancel_takes_s))
        return self.advance(row, retry=False)

    def _in(self, seconds: float) -> str:
        return rfc3339_ms(self._ground.now() + timedelta(seconds=seconds))

    def _pay(self, row: dict[str, Any]) -> dict[str, Any]:
        reason = self._outcomes.take(row["out_bill_no"]).get("fail_reason", "")
        if reason:
            return self._end(row, "FAIL", reason)
        wanted = row["wanted"]
        numbers = {"business_no": row["transfer_bill_no"], "voucher_no": row["out_bill_no"]}
        row = self._end(row, "SUCCESS", "")
        fen = -wanted["transfer_amount"]
        self._accounts.move(
            Movement(row["mchid"], row["account"], "商家转账", fen, remark=wanted["transfer_remark"], **numbers)
        )
        payee = self._people.get(self._people.find(wanted["appid"], wanted["openid"]) or "")
        if payee["balance_fen"] is not None:
            self._people.save({**payee, "balance_fen": payee["balance_fen"] - fen})
        return row

    def _end(self, row: dict[str, Any], state: str, reason: str) -> dict[str, Any]:
        if row.get("account"):
            self._accounts.freeze(row["mchid"], row["account"], -row["wanted"]["transfer_amount"])
        self._open.discard(f"{row['mchid']}:{row['out_bill_no']}")
        return self._put(row, state=state, fail_reason=reason)

    def _put(self, row: dict[str, Any], **changes: Any) -> dict[str, Any]:
        row = {**row, **changes, "update_time": rfc3339_ms(self._ground.now())}
        self._rows.put(f"{row['mchid']}:{row['out_bill_no']}", row)
        return row

    def _tell(self, row: dict[str, Any]) -> None:
        wanted = row["wanted"]
        names = ("out_bill_no", "transfer_bill_no", "state", "create_time", "update_time")
        body = {"mch_id": row["mchid"], **{name: row[name] for name in names}}
        body |= {"transfer_amount": wanted["transfer_amount"], "openid": wanted["openid"]}
        if row["fail_reason"]:
            body["fail_reason"] = row["fail_reason"]
        self._notices.tell(row["mchid"], row["notify_url"] or "", "MCHTRANSFER.BILL.FINISHED", "mch_payment", body)

    def _sweep(self) -> None:
        for key in sorted(self._open):
            if self._rows[key]["due"]:
                self.advance(self._rows[key], retry=False)
