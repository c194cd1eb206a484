"""The phone itself, for people: one page on which a user follows, chats, taps the menu, pays and takes transfers."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request

from mock_wechat.account.inbox import Inbox
from mock_wechat.account.menu import Menu
from mock_wechat.account.people import People
from mock_wechat.entries import App
from mock_wechat.errors import answer
from mock_wechat.ground import Ground
from mock_wechat.pay.orders import Orders
from mock_wechat.pay.transfer_book import TransferBook

NEWEST = 50
# The word before a field of a message, by its type: a template tells its own words only to its owner.
LABELS = {
    "thing": "内容",
    "short_thing": "内容",
    "const": "状态",
    "phrase": "状态",
    "character_string": "编号",
    "number": "数量",
    "amount": "金额",
    "time": "时间",
    "date": "日期",
    "name": "姓名",
    "phone_number": "电话",
}


class PhonePage:
    def __init__(
        self, ground: Ground, people: People, inbox: Inbox, menu: Menu, orders: Orders, book: TransferBook
    ) -> None:
        self._ground, self._people, self._inbox, self._menu = ground, people, inbox, menu
        self._orders, self._book = orders, book
        ground.flask.jinja_env.filters |= {"yuan": _yuan, "label": _label}
        ground.mount("page", [("GET", "/phone", self.page), ("GET", "/__mock__/phone/count", self.count)])

    def page(self) -> Response:
        people = self._people.all()
        chosen = next((row for row in people if row["user"] == request.args.get("user")), None)
        app = self._ground.apps.get(request.args.get("app", ""))
        apps = self._ground.apps
        shown: dict[str, Any] = {"people": people, "chosen": chosen, "app": app, "apps": apps.values()}
        shown["titles"] = {app_id: _title(one) for app_id, one in apps.items()}
        if chosen:
            shown |= self._mine(chosen)
            shown["messages"] = self._inbox.of(chosen["user"], app.app_id if app else "")[-NEWEST:]
            shown["count"] = self._inbox.count()
            shown["buttons"] = self._menu.buttons(app.app_id) if app else []
        return make_response(render_template("phone.html", **shown))

    def count(self) -> Response:
        """How many messages there are in all: the page reloads when that changes."""
        return answer({"count": self._inbox.count()})

    def _mine(self, chosen: dict[str, Any]) -> dict[str, Any]:
        mine = set(chosen["openids"].items())
        waiting = [row for row in self._book.all() if row["state"] == "WAIT_USER_CONFIRM"]
        transfers = [r for r in waiting if (r["wanted"]["appid"], r["wanted"]["openid"]) in mine]
        orders = [row for row in self._orders.waiting() if (row["appid"], row["payer"]["openid"]) in mine]
        return {"transfers": transfers, "orders": orders}


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100:,}.{amount_fen % 100:02d}"


def _label(field: str) -> str:
    """`thing2` -> 内容; a type without a word of its own is shown as it is."""
    return LABELS.get(field.rstrip("0123456789"), field)


def _title(app: App) -> str:
    """The account's name and what it is, said once."""
    kind, name = "公众号" if app.kind == "oa" else "小程序", app.name or app.owner
    return name if name.endswith(kind) else f"{name}（{kind}）"
