from __future__ import annotations

from typing import Any

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api


def test_settings_are_checked(api: Api, wechat: WeChat) -> None:
    assert api.post("/__mock__/settings", {"fee_rat": "0.1"})["code"] == "setting_unknown"
    assert api.post("/__mock__/settings", {"fee_rate": "0.001"})["fee_rate"] == "0.001"
    assert api.post("/__mock__/apps/wx0", {})["code"] == "app_unknown"


def test_only_what_a_console_shows_can_be_changed(api: Api, oa: dict[str, Any], wechat: WeChat) -> None:
    path = f"/__mock__/apps/{oa['app_id']}"
    assert api.post(path, {"secret": "x"})["code"] == "field_unknown"
    assert api.post(path, {"mode": "plain", "callback_url": "http://127.0.0.1:9/"})["verified"] is False
    assert wechat.ground.apps[oa["app_id"]].mode == "plain"


def test_faults_of_pushes_are_cleared(api: Api, wechat: WeChat) -> None:
    assert api.post("/__mock__/push_faults", {"lose": True, "times": -1})["times"] == -1
    assert len(wechat.pusher.faults) == 1
    assert api.raw("DELETE", "/__mock__/push_faults").status_code == 204
    assert wechat.pusher.faults == []
