"""What WeChat pushes to the callback server: in three modes, twice, out of order, forged, old, malformed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_wechat.account.envelope import encrypt, signature, write_xml
from mock_wechat.entries import MODES, App
from mock_wechat.push import PushFault
from tests.app.notification.kit import shown
from tests.app.patients import House, Known, stopped_clock
from tests.examples import costly


@pytest.fixture
def app(house: House) -> App:
    return house.wechat.ground.apps[house.app_id()]


@pytest.fixture(params=MODES)
def any_mode(request: pytest.FixtureRequest, house: House, app: App) -> Iterator[str]:
    """Both sides have agreed on the mode."""
    change = "UPDATE wechat_app SET mode = :mode WHERE app_id = :app_id"
    app.mode = request.param
    house.rows(change, mode=app.mode, app_id=app.app_id)
    yield app.mode
    app.mode = "safe"
    house.rows(change, mode=app.mode, app_id=app.app_id)


def phone(house: House, what: str, user: str, **more: Any) -> Any:
    body = {"user": user, "app_id": house.app_id()} | more
    answer = house.wechat.app.test_client().post(f"/__mock__/phone/{what}", json=body)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def following(house: House, user: str) -> bool | None:
    query = "SELECT following FROM account WHERE openid = :openid"
    found: bool | None = house.value(query, openid=house.openid(user))
    return found


def push(app: App, fields: dict[str, Any], *, at: float = 0) -> tuple[dict[str, str], bytes]:
    stamp, nonce = str(int(at or time.time())), "nonce"
    sealed = encrypt(write_xml(fields), app.aes_key, app.app_id)
    query = {"signature": signature(app.token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
    query |= {"encrypt_type": "aes", "msg_signature": signature(app.token, stamp, nonce, sealed)}
    return query, write_xml({"ToUserName": app.original_id, "Encrypt": sealed}).encode()


def event(house: House, user: str, name: str, at_s: int, **more: Any) -> dict[str, Any]:
    who = {"ToUserName": "gh", "FromUserName": house.openid(user), "CreateTime": at_s}
    return who | {"MsgType": "event", "Event": name, "EventKey": ""} | more


def test_the_address_is_verified(house: House, app: App) -> None:
    assert house.wechat.callback.verify_url(app)
    unsigned = house.client.get(f"/wechat/callback/{app.app_id}?echostr=1")
    assert unsigned.status_code == 401
    assert house.client.get("/wechat/callback/wx-nobody").status_code == 404


def test_a_follower_is_welcomed_and_known(house: House, any_mode: str) -> None:
    user = house.user()
    phone(house, "follow", user)
    assert following(house, user) is True
    patient = _named(house, user)
    (welcome,) = shown(house, patient, "reply")
    assert "欢迎" in welcome["Content"] and house.runtime.settings.public_url in welcome["Content"]
    phone(house, "unfollow", user)
    assert following(house, user) is False


def _named(house: House, user: str) -> Any:
    class Named:
        pass

    named = Named()
    named.user = user  # type: ignore[attr-defined]
    return named


def test_a_tap_on_the_menu_leads_to_the_claim(house: House, any_mode: str) -> None:
    house.client.application.test_cli_runner().invoke(args=["menus"])
    patient = house.known()
    phone(house, "tap_menu", patient.user, key="商保理赔")
    (reply,) = shown(house, patient, "reply")
    assert reply["Content"].startswith("商保理赔")
    assert f"{house.runtime.settings.public_url}/h5/?app_id={house.app_id()}" in reply["Content"]


def test_a_message_is_answered_with_help(house: House, any_mode: str) -> None:
    patient = house.known()
    assert "菜单" in phone(house, "say", patient.user, text="你好 <![CDATA[ ]]>")["reply"]["Content"]


@pytest.mark.parametrize("signature_fault", ["wrong"])
def test_a_forged_push_has_no_effect(house: House, any_mode: str, signature_fault: str) -> None:
    house.wechat.pusher.faults.append(PushFault(signature=signature_fault, attempts=-1, times=-1))
    user = house.user()
    phone(house, "follow", user)
    assert following(house, user) is None


def test_a_push_that_comes_twice_has_one_effect_and_the_same_answer(house: House, app: App) -> None:
    patient = house.known()
    query, body = push(app, event(house, patient.user, "unsubscribe", int(time.time())))
    url = f"/wechat/callback/{app.app_id}"
    first = house.client.post(url, query_string=query, data=body)
    phone_is_back(house, patient)
    again = house.client.post(url, query_string=query, data=body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.data == again.data == b"success"
    assert following(house, patient.user) is True


def phone_is_back(house: House, patient: Known) -> None:
    """The user follows again; WeChat tells us with a later time."""
    query, body = push(house.wechat.ground.apps[house.app_id()],
                       event(house, patient.user, "subscribe", int(time.time()) + 2))  # fmt: skip
    house.client.post(f"/wechat/callback/{house.app_id()}", query_string=query, data=body)


def test_following_and_leaving_out_of_order_end_as_they_happened(house: House, app: App) -> None:
    user, now = house.user(), int(time.time())
    for name, at_s in (("subscribe", now - 20), ("subscribe", now), ("unsubscribe", now - 10)):
        query, body = push(app, event(house, user, name, at_s))
        assert house.client.post(f"/wechat/callback/{app.app_id}", query_string=query, data=body).status_code == 200
    assert following(house, user) is True


def test_an_old_push_is_refused(house: House, app: App) -> None:
    user = house.user()
    query, body = push(app, event(house, user, "subscribe", int(time.time())))
    with stopped_clock(house.runtime, datetime.now(UTC) + timedelta(minutes=11)):
        answer = house.client.post(f"/wechat/callback/{app.app_id}", query_string=query, data=body)
    assert answer.status_code == 401 and following(house, user) is None


def test_a_push_for_another_account_is_refused(house: House, app: App) -> None:
    query, body = push(app, event(house, house.user(), "subscribe", int(time.time())))
    answer = house.client.post(f"/wechat/callback/{house.app_id('H2')}", query_string=query, data=body)
    assert answer.status_code == 401


def test_pushes_are_remembered_without_openids_and_forgotten(house: House, app: App) -> None:
    user = house.user()
    query, body = push(app, event(house, user, "subscribe", int(time.time())))
    house.client.post(f"/wechat/callback/{app.app_id}", query_string=query, data=body)
    kept = house.rows("SELECT p::text FROM wechat_push p")
    assert kept and not [row for row in kept if house.openid(user) in row[0]]
    house.rows("UPDATE wechat_push SET received_at = now() - interval '3 days'")
    with house.runtime.work() as work:
        work.later("notification.sweep", None)
    house.drain_all("notification.sweep")
    assert house.value("SELECT count(*) FROM wechat_push") == 0


@costly
@given(body=st.binary(max_size=200), echo=st.text(max_size=20))
def test_junk_is_refused(house: House, app: App, body: bytes, echo: str) -> None:
    stamp = str(int(time.time()))
    query = {"timestamp": stamp, "nonce": "n", "signature": signature(app.token, stamp, "n"), "msg_signature": echo}
    url = f"/wechat/callback/{app.app_id}"
    assert house.client.post(url, query_string=query, data=body).status_code == 401
    unsigned = query | {"signature": echo, "echostr": echo}
    assert house.client.get(url, query_string=unsigned).status_code == 401
