from __future__ import annotations

import json
from typing import Any

import pytest

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, account_client

CLAIM = {"type": "view", "name": "商保理赔", "url": "https://h5.example.com/claim"}
HELP = {"type": "click", "name": "帮助", "key": "help"}
MENU = {"button": [CLAIM, {"name": "更多", "sub_button": [HELP]}]}


def test_wechatpy_makes_reads_and_deletes_it(wechat: WeChat, oa: dict[str, Any]) -> None:
    client = account_client(wechat, oa)
    client.menu.create(MENU)
    assert client.menu.get()["menu"] == MENU
    assert client.menu.get_menu_info()["is_menu_open"] == 1
    client.menu.delete()
    assert client.menu.get() is None


@pytest.mark.parametrize(
    ("button", "code"),
    [
        ([], 40016),
        ([CLAIM] * 4, 40016),
        ([{**CLAIM, "name": "一二三四五六"}], 40018),
        ([{**CLAIM, "url": "ftp://x"}], 40020),
        ([{**HELP, "key": "k" * 129}], 40019),
        ([{**HELP, "type": "dance"}], 40017),
        ([{"name": "更多", "sub_button": [HELP] * 6}], 40023),
        ([{"name": "更多", "sub_button": [{"name": "深", "sub_button": [HELP]}]}], 40023),
    ],
)
def test_what_is_refused(api: Api, oa: dict[str, Any], button: list[Any], code: int) -> None:
    body = json.dumps({"button": button}, ensure_ascii=False).encode()
    answer = api.raw("POST", "/cgi-bin/menu/create", params={"access_token": api.token(oa)}, content=body)
    assert answer.json()["errcode"] == code


def test_escaped_chinese_is_refused(api: Api, oa: dict[str, Any]) -> None:
    content = json.dumps(MENU).encode()
    answer = api.raw("POST", "/cgi-bin/menu/create", params={"access_token": api.token(oa)}, content=content)
    assert answer.json()["errcode"] == 40033


def test_tapping(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any], receiver: Receiver) -> None:
    account_client(wechat, oa).menu.create(MENU)
    app = wechat.ground.apps[oa["app_id"]]
    app.callback_url, app.mode = f"{receiver.url}/callback", "plain"

    def tap(key: str) -> dict[str, Any]:
        return dict(api.phone("tap_menu", user="zhang", app_id=oa["app_id"], key=key))

    assert tap("help")["code"] == "not_following"
    api.phone("follow", user="zhang", app_id=oa["app_id"])
    assert tap("商保理赔")["url"] == CLAIM["url"]
    assert tap("help")["button"] == HELP
    assert tap("nothing")["code"] == "button_unknown"
    events = [body.decode() for _, _, body in receiver.got]
    assert ["subscribe" in events[0], "VIEW" in events[1], "CLICK" in events[2]] == [True, True, True]
    assert "<EventKey><![CDATA[help]]></EventKey>" in events[2]
