"""What is sent to the phone."""

from __future__ import annotations

from typing import Any

from flask import request

from mock_wechat.account.people import People
from mock_wechat.entries import App
from mock_wechat.errors import PhoneError
from mock_wechat.ground import Ground

NO_TEXTS: dict[str, tuple[type, ...]] = {
    "params": (dict,),
    "openids": (dict,),
    "template_ids": (list,),
    "balance_fen": (int, type(None)),
    "fen": (int,),
    "accept": (bool,),
    "long_term": (bool,),
    "snapshot": (bool,),
    "on": (bool,),
}


def json_object() -> dict[str, Any]:
    """The request's JSON object."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise PhoneError(400, "not_json", "需要 JSON 对象")
    return body


def form(*needed: str) -> dict[str, Any]:
    """The request's JSON object, in which the `needed` fields must stand; null is absent.

    All are texts but those of NO_TEXTS.
    """
    body = {name: value for name, value in json_object().items() if value is not None or name == "balance_fen"}
    missing = [name for name in needed if name not in body]
    if missing:
        raise PhoneError(400, "missing", f"缺少 {'、'.join(missing)}")
    wrong = [name for name, value in body.items() if not isinstance(value, NO_TEXTS.get(name, (str,)))]
    if wrong:
        raise PhoneError(400, "wrong_type", f"类型不对：{'、'.join(wrong)}")
    return body


def who(ground: Ground, people: People, body: dict[str, Any], kind: str = "") -> tuple[str, App]:
    """The user and the app that a form names; `kind` demands an "oa" or a "mini"."""
    app = ground.phone_app(body["app_id"])
    if kind and app.kind != kind:
        raise PhoneError(409, "wrong_kind", "公众号和小程序不能混用")
    return str(people.get(body["user"])["user"]), app
