"""The SMS gateway: a registered signature, a template and its parameters, never free text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_partners.answers import Refused
from mock_partners.couriers import Courier

PHONE = re.compile(r"1[3-9]\d{9}", re.ASCII)
LONGEST_PARAMETER = 35


class Sms(Courier):
    title = "收到的短信"
    fields = ("out_id", "sign", "template_id", "phone", "params")

    def __init__(self, gateway: Mapping[str, Any], *, state_dir: Path | None = None) -> None:
        super().__init__("sms", gateway, "/v1/messages", state_dir=state_dir)

    def check(self, message: Mapping[str, Any]) -> None:
        if not PHONE.fullmatch(message["phone"]):
            raise Refused(422, "phone_invalid", "手机号不正确")
        if not message["sign"] or not message["template_id"]:
            raise Refused(422, "template_unknown", "签名或模板未报备")
        values = message["params"].values()
        if not all(isinstance(value, str) and len(value) <= LONGEST_PARAMETER for value in values):
            raise Refused(422, "params_invalid", "模板参数不正确")
