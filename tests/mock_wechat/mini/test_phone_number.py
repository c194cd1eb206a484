from __future__ import annotations

from typing import Any

from tests.mock_wechat.kit import Api


def test_the_button_brings_the_number_once(api: Api, mini: dict[str, Any], user: dict[str, Any]) -> None:
    code = api.phone("phone_code", user="zhang", app_id=mini["app_id"])["code"]
    login = api.phone("mini_login", user="zhang", app_id=mini["app_id"])["code"]
    token = api.token(mini)

    def ask(**body: Any) -> dict[str, Any]:
        return dict(api.post("/wxa/business/getuserphonenumber", body, access_token=token))

    assert ask(code=login)["errcode"] == 40029
    info = ask(code=code, openid=user["openids"][mini["app_id"]])["phone_info"]
    assert (info["purePhoneNumber"], info["watermark"]["appid"]) == ("13800000001", mini["app_id"])
    assert ask(code=code)["errcode"] == 40163


def test_another_persons_openid_is_refused(api: Api, mini: dict[str, Any], user: dict[str, Any]) -> None:
    code = api.phone("phone_code", user="zhang", app_id=mini["app_id"])["code"]
    body = {"code": code, "openid": "o-of-nobody"}
    assert api.post("/wxa/business/getuserphonenumber", body, access_token=api.token(mini))["errcode"] == 40003
