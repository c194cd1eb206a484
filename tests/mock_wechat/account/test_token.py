from __future__ import annotations

from typing import Any

import pytest
from wechatpy.exceptions import WeChatClientException

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, account_client, begin_day


def stable(api: Api, app: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"grant_type": "client_credential", "appid": app["app_id"], "secret": app["secret"], **more}
    return dict(api.post("/cgi-bin/stable_token", body))


def plain(api: Api, app: dict[str, Any]) -> dict[str, Any]:
    query = {"grant_type": "client_credential", "appid": app["app_id"], "secret": app["secret"]}
    return dict(api.get("/cgi-bin/token", **query))


def errcode(api: Api, token: str) -> int:
    return int(api.get("/cgi-bin/user/get", access_token=token).get("errcode", 0))


def test_the_stable_token_is_the_same_for_everyone_until_its_last_five_minutes(
    api: Api, oa: dict[str, Any], wechat: WeChat
) -> None:
    first = stable(api, oa)
    assert first["expires_in"] == 7200
    wechat.clock.advance(1000)
    again = stable(api, oa)
    assert again["access_token"] == first["access_token"]
    assert 6190 <= again["expires_in"] <= 6200
    wechat.clock.advance(5950)
    renewed = stable(api, oa)
    assert (renewed["access_token"] == first["access_token"], renewed["expires_in"]) == (False, 7200)
    assert [errcode(api, t["access_token"]) for t in (first, renewed)] == [0, 0]
    wechat.clock.advance(300)
    assert [errcode(api, t["access_token"]) for t in (first, renewed)] == [42001, 0]


def test_each_plain_token_is_new_and_ends_the_one_before_after_five_minutes(
    api: Api, oa: dict[str, Any], wechat: WeChat
) -> None:
    steady = stable(api, oa)["access_token"]
    first, second = plain(api, oa)["access_token"], plain(api, oa)["access_token"]
    assert first != second
    assert errcode(api, first) == 0
    wechat.clock.advance(301)
    assert [errcode(api, t) for t in (first, second, steady)] == [42001, 0, 0]


def test_forcing_works_after_thirty_seconds_and_silently_not_before(
    api: Api, oa: dict[str, Any], wechat: WeChat
) -> None:
    begin_day(wechat)
    first = stable(api, oa)["access_token"]
    assert stable(api, oa, force_refresh=True)["access_token"] == first
    wechat.clock.advance(31)
    second = stable(api, oa, force_refresh=True)["access_token"]
    assert second != first
    assert errcode(api, first) == 40001
    wechat.settings.force_refresh_day_quota = 1
    wechat.clock.advance(31)
    assert stable(api, oa, force_refresh=True)["access_token"] == second


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret": "wrong"}, 40125),
        ({"appid": "wx0"}, 40013),
        ({"grant_type": "x"}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
    ],
)
def test_wrong_callers(api: Api, oa: dict[str, Any], change: dict[str, str], code: int) -> None:
    answer = stable(api, oa, **change)
    assert answer["errcode"] == code
    assert " rid: " in answer["errmsg"]


def test_an_address_outside_the_whitelist_is_refused(api: Api, oa: dict[str, Any], wechat: WeChat) -> None:
    wechat.ground.apps[oa["app_id"]].ip_whitelist = ["203.0.113.1"]
    assert stable(api, oa)["errcode"] == 40164


def test_the_quota_of_plain_tokens_ends(api: Api, oa: dict[str, Any], wechat: WeChat) -> None:
    begin_day(wechat)
    wechat.settings.token_day_quota = 2
    assert [plain(api, oa).get("errcode", 0) for _ in range(3)] == [0, 0, 45009]


def test_tokens_missing_unknown_or_of_the_other_kind(api: Api, mini: dict[str, Any]) -> None:
    assert errcode(api, "") == 41001
    assert errcode(api, "made-up") == 40001
    assert errcode(api, stable(api, mini)["access_token"]) == 48001


def test_a_storm_makes_every_token_invalid(api: Api, oa: dict[str, Any]) -> None:
    token = stable(api, oa)["access_token"]
    api.post("/__mock__/tokens/forget", {"app_id": oa["app_id"]})
    assert errcode(api, token) == 40001
    assert stable(api, oa)["access_token"] != token


def test_wechatpy_fetches_and_uses_a_token(wechat: WeChat, oa: dict[str, Any], user: dict[str, Any]) -> None:
    client = account_client(wechat, oa)
    wechat.people.follow("zhang", wechat.ground.apps[oa["app_id"]], True)
    openid = user["openids"][oa["app_id"]]
    assert client.user.get(openid)["unionid"] == user["unionid"]
    assert client.user.get_followers()["data"]["openid"] == [openid]
    with pytest.raises(WeChatClientException, match="40003"):
        client.user.get("o-of-nobody")
