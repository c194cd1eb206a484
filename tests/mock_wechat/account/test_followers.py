from __future__ import annotations

from typing import Any

from mock_wechat.account import followers
from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api


def test_who_does_not_follow_shows_nothing_but_the_openid(api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    openid = user["openids"][oa["app_id"]]
    token = api.token(oa)
    assert api.get("/cgi-bin/user/info", access_token=token, openid=openid) == {"subscribe": 0, "openid": openid}
    api.phone("follow", user="zhang", app_id=oa["app_id"])
    assert api.get("/cgi-bin/user/info", access_token=token, openid=openid)["subscribe"] == 1
    api.phone("unfollow", user="zhang", app_id=oa["app_id"])
    assert api.get("/cgi-bin/user/info", access_token=token, openid=openid)["subscribe"] == 0


def test_followers_come_in_pages(api: Api, wechat: WeChat, oa: dict[str, Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(followers, "PAGE", 2)
    for number in range(3):
        row = wechat.people.add({"user": f"p{number}", "name": "某", "phone": "13800000000"})
        wechat.people.follow(row["user"], wechat.ground.apps[oa["app_id"]], True)
    token = api.token(oa)
    first = api.get("/cgi-bin/user/get", access_token=token)
    second = api.get("/cgi-bin/user/get", access_token=token, next_openid=first["next_openid"])
    assert (first["total"], first["count"], second["count"]) == (3, 2, 1)
    last = api.get("/cgi-bin/user/get", access_token=token, next_openid=second["next_openid"])
    assert (last["count"], last["next_openid"]) == (0, "")


def test_many_at_once(api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    body = {"user_list": [{"openid": user["openids"][oa["app_id"]]}]}
    answer = api.post("/cgi-bin/user/info/batchget", body, access_token=api.token(oa))
    assert [entry["subscribe"] for entry in answer["user_info_list"]] == [0]
    too_many = {"user_list": body["user_list"] * 101}
    assert api.post("/cgi-bin/user/info/batchget", too_many, access_token=api.token(oa))["errcode"] == 47001
