"""The phone number button: its code (not the login code) is exchanged for the number."""

from __future__ import annotations

from flask import Response

from mock_wechat.account.codes import Codes
from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, json_body, text
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground


class PhoneNumber:
    def __init__(self, ground: Ground, people: People, codes: Codes, tokens: Tokens) -> None:
        self._ground, self._people, self._codes, self._tokens = ground, people, codes, tokens
        ground.mount("phone_number", [("POST", "/wxa/business/getuserphonenumber", self.get)])

    def get(self) -> Response:
        app = self._tokens.check("mini")
        body = json_body()
        row = self._codes.redeem("phone", app, text(body, "code"))
        person = self._people.get(row["user"])
        if body.get("openid") and person["openids"][app.app_id] != body["openid"]:
            raise AccountError(40003)
        number = person["phone"]
        info = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": "86"}
        watermark = {"timestamp": self._ground.epoch(), "appid": app.app_id}
        return answer({"errcode": 0, "errmsg": "ok", "phone_info": {**info, "watermark": watermark}})
