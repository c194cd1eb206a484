from __future__ import annotations

from typing import Any

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api


def test_a_person_is_another_in_every_app_and_one_in_the_platform(api: Api, world: dict[str, Any]) -> None:
    made = api.phone("users", name="王五", phone="13900000000", id_no="110101199001011237")
    assert len(set(made["openids"].values())) == 2
    assert all(len(openid) == 28 and openid.startswith("o") for openid in made["openids"].values())
    assert made["unionid"]
    assert [row["user"] for row in api.get("/__mock__/phone/users")] == [made["user"]]


def test_ids_can_be_given(api: Api, oa: dict[str, Any], mini: dict[str, Any], wechat: WeChat) -> None:
    made = api.phone("users", user="w", name="王五", phone="1", openid="o-first", openids={mini["app_id"]: "o-mini"})
    assert made["openids"] == {oa["app_id"]: "o-first", mini["app_id"]: "o-mini"}
    assert wechat.people.find(mini["app_id"], "o-mini") == "w"
    assert wechat.people.find(mini["app_id"], "o-first") is None
    again = api.phone("users", user="w", name="王六", phone="1")
    assert (again["name"], again["openids"]) == ("王六", made["openids"])


def test_apps_of_different_platforms_share_no_unionid(world: dict[str, Any]) -> None:
    world["apps"][1]["open_platform"] = "other"
    with WeChat(world) as wechat:
        made = wechat.people.add({"name": "x", "phone": "1"})
        apps = list(wechat.ground.apps.values())
        assert wechat.people.unionid(made["user"], apps[0]) != wechat.people.unionid(made["user"], apps[1])


def test_following_twice_changes_nothing(api: Api, oa: dict[str, Any], mini: dict[str, Any], user: Any) -> None:
    assert api.phone("follow", user="zhang", app_id=oa["app_id"])["changed"] is True
    assert api.phone("follow", user="zhang", app_id=oa["app_id"])["changed"] is False
    assert api.phone("unfollow", user="zhang", app_id=oa["app_id"])["changed"] is True
    assert api.phone("follow", user="zhang", app_id=mini["app_id"])["code"] == "wrong_kind"


def test_bad_forms_are_answered(api: Api, user: dict[str, Any]) -> None:
    assert api.phone("users", name="x")["code"] == "missing"
    assert api.raw("POST", "/__mock__/phone/pay", content=b"{").json()["code"] == "not_json"
    assert api.phone("pay", user=["zhang"], prepay_id="wx0")["code"] == "wrong_type"
    assert api.phone("pay", user="zhang", prepay_id="wx0")["code"] == "prepay_expired"
    assert api.phone("pay", user="nobody", prepay_id="wx0")["code"] == "user_unknown"
    assert api.get("/__mock__/phone/inbox")["code"] == "user_unknown"
