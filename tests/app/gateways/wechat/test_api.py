"""WeChat's server APIs through the live client, against the double."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import redis

from app.core.errors import PartnerFault
from app.core.privacy import Privacy
from app.core.redis import connect
from app.core.settings import DEVELOPMENT_KEY
from app.gateways.http import Http
from app.gateways.wechat.api import TemplateMessage
from app.gateways.wechat.api import WeChat as Client
from app.gateways.wechat.token import TokenStore
from mock_wechat.keys import make_app
from mock_wechat.server import WeChat

TEMPLATE = "template-of-forty-three-characters-0123456789"


@dataclass(frozen=True)
class App:
    app_id: str
    secret: str


@pytest.fixture(scope="module")
def entries() -> dict[str, dict[str, Any]]:
    templates = {"bound": {"id": TEMPLATE, "fields": ["thing1", "time2"]}}
    return {kind: make_app(kind, "H1", templates=templates) for kind in ("oa", "mini")}


@pytest.fixture(scope="module")
def double(entries: dict[str, dict[str, Any]]) -> Iterator[WeChat]:
    with WeChat({"apps": list(entries.values()), "merchants": []}) as double:
        yield double


@pytest.fixture(autouse=True)
def _well(double: WeChat) -> None:
    """No test meets what another one broke."""
    double.faults.clear()


@pytest.fixture
def client(double: WeChat, fresh_redis_url: str) -> Client:
    return _client(double, fresh_redis_url)


@pytest.fixture
def oa(entries: dict[str, dict[str, Any]]) -> App:
    return App(entries["oa"]["app_id"], entries["oa"]["secret"])


@pytest.fixture
def mini(entries: dict[str, dict[str, Any]]) -> App:
    return App(entries["mini"]["app_id"], entries["mini"]["secret"])


def _client(double: WeChat, redis_url: str, timeout_s: float = 3.0) -> Client:
    return Client(double.url, double.url, Http("wechat", timeout_s), connect(redis_url), Privacy(DEVELOPMENT_KEY))


def _calls(double: WeChat, path: str, since: int = 0) -> list[dict[str, Any]]:
    return [entry for entry in double.journal[since:] if entry.get("path") == path]


def _follower(double: WeChat, app: App) -> str:
    user = double.people.add({"name": "关注者", "phone": "13800000000"})["user"]
    double.people.follow(user, double.ground.apps[app.app_id], True)
    return double.people.openid(user, double.ground.apps[app.app_id])


def _message(openid: str, number: str = "n1", **data: str) -> TemplateMessage:
    return TemplateMessage(openid, TEMPLATE, {"thing1": "张三", "time2": "2026-11-21 10:00"} | data, number)


def test_one_token_for_every_process_and_thread(double: WeChat, client: Client, fresh_redis_url: str, oa: App) -> None:
    before = len(double.journal)
    clients = [client, _client(double, fresh_redis_url), _client(double, fresh_redis_url)]
    with ThreadPoolExecutor(6) as pool:
        tokens = list(pool.map(lambda n: clients[n % 3].tokens.current(oa), range(12)))
    assert len(set(tokens)) == 1
    assert len(_calls(double, "/cgi-bin/stable_token", before)) == 1


def test_redis_holds_the_token_encrypted_and_for_less_than_its_life(
    client: Client, fresh_redis_url: str, oa: App
) -> None:
    token = client.tokens.current(oa)
    with redis.Redis.from_url(fresh_redis_url) as raw:
        kept = {key: raw.get(key) for key in raw.keys("*")}
        assert list(kept) == [f"wechat:token:{oa.app_id}".encode()]  # the lock is gone
        assert token.encode() not in next(iter(kept.values()))
        assert 0 < raw.ttl(f"wechat:token:{oa.app_id}") <= 7200 - 300


def test_a_token_that_somebody_else_ended_is_replaced_once(double: WeChat, client: Client, oa: App) -> None:
    openid = _follower(double, oa)
    client.follows(oa, openid)
    double.tokens.forget(oa.app_id)
    before = len(double.journal)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: client.follows(oa, openid), range(8))) == [True] * 8
    assert len(_calls(double, "/cgi-bin/stable_token", before)) == 1


def test_a_token_that_stays_refused_is_not_asked_for_without_end(double: WeChat, client: Client, oa: App) -> None:
    client.tokens.current(oa)
    double.fail("/cgi-bin/user/info", times=-1, status=200, body={"errcode": 40001, "errmsg": "invalid credential"})
    before = len(double.journal)
    with pytest.raises(PartnerFault) as caught:
        client.follows(oa, "o-anybody")
    assert (caught.value.code, caught.value.permanent) == ("40001", False)
    assert len(_calls(double, "/cgi-bin/user/info", before)) == 2
    assert len(_calls(double, "/cgi-bin/stable_token", before)) == 1


def test_without_redis_each_process_has_its_own_token(double: WeChat, oa: App) -> None:
    client = _client(double, "redis://127.0.0.1:1/0")
    before = len(double.journal)
    assert client.tokens.current(oa) == client.tokens.current(oa)
    assert len(_calls(double, "/cgi-bin/stable_token", before)) == 1
    openid = _follower(double, oa)
    double.tokens.forget(oa.app_id)
    assert client.follows(oa, openid)


def test_a_value_in_redis_that_is_not_ours_is_ignored(client: Client, fresh_redis_url: str, oa: App) -> None:
    with redis.Redis.from_url(fresh_redis_url) as raw:
        raw.set(f"wechat:token:{oa.app_id}", "v1.dev.AAAA.AAAA")
    assert len(client.tokens.current(oa)) > 100


def test_whoever_waits_for_a_dead_locksmith_goes_ahead(
    client: Client, fresh_redis_url: str, oa: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gateways.wechat.token.WAIT_S", 0.1)
    with redis.Redis.from_url(fresh_redis_url) as raw:
        raw.set(f"wechat:token:{oa.app_id}:lock", "somebody who died", px=60_000)
        assert client.tokens.current(oa)
        assert raw.get(f"wechat:token:{oa.app_id}:lock") == b"somebody who died"  # not ours to take away


def test_a_short_lived_token_is_fetched_again(fresh_redis_url: str, oa: App) -> None:
    fetched: list[str] = []

    def fetch(_: object) -> tuple[str, int]:
        fetched.append(f"token-{len(fetched)}")
        return fetched[-1], 7200

    store = TokenStore(connect(fresh_redis_url), Privacy(DEVELOPMENT_KEY), fetch)
    assert store.current(oa) == "token-0" == store.current(oa)
    with redis.Redis.from_url(fresh_redis_url) as raw:
        raw.pexpire(f"wechat:token:{oa.app_id}", 1)
        while raw.exists(f"wechat:token:{oa.app_id}"):
            pass
    assert store.current(oa) == "token-1"
    assert store.renew(oa, "token-0") == "token-1"
    assert store.renew(oa, "token-1") == "token-2"


def test_a_template_message_arrives_once(double: WeChat, client: Client, oa: App) -> None:
    openid = _follower(double, oa)
    first, again = client.send_template(oa, _message(openid, "n7")), client.send_template(oa, _message(openid, "n7"))
    assert first == again and first != client.send_template(oa, _message(openid, "n8"))
    sent = json.loads(_calls(double, "/cgi-bin/message/template/send")[-1]["body"])
    assert sent["data"]["thing1"] == {"value": "张三"} and sent["client_msg_id"] == "n8"


def test_refusals_keep_wechats_number(double: WeChat, client: Client, oa: App) -> None:
    stranger = double.people.add({"name": "路人", "phone": "13800000001"})["user"]
    unfollowed = double.people.openid(stranger, double.ground.apps[oa.app_id])
    follower = _follower(double, oa)
    wrong_template = TemplateMessage(follower, "nothing", {"thing1": "x"}, "n")
    for message, code in (
        (_message(unfollowed), "43004"),
        (_message("o-of-another-app"), "40003"),
        (_message(follower, thing1=""), "47003"),
        (wrong_template, "40037"),
    ):
        with pytest.raises(PartnerFault) as caught:
            client.send_template(oa, message)
        assert (caught.value.code, caught.value.permanent, caught.value.unknown) == (code, True, False)
    assert not client.follows(oa, unfollowed)


@pytest.mark.parametrize(
    ("fault", "code", "permanent", "unknown"),
    [
        ({"status": 200, "body": {"errcode": -1, "errmsg": "system error"}}, "-1", False, False),
        ({"status": 200, "body": {"errcode": 45009, "errmsg": "quota"}}, "45009", False, False),
        ({"status": 502}, "http_502", False, True),
        ({"drop": "after"}, "", False, True),
        ({"status": 200, "body": "<html>busy</html>"}, "not_json", False, True),
        ({"status": 200, "body": []}, "not_an_object", False, True),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "http_302", False, True),
    ],
)
def test_faults_say_what_is_known(
    double: WeChat, client: Client, oa: App, fault: dict[str, Any], code: str, permanent: bool, unknown: bool
) -> None:
    openid = _follower(double, oa)
    client.follows(oa, openid)
    double.fail("/cgi-bin/message/template/send", **fault)
    with pytest.raises(PartnerFault) as caught:
        client.send_template(oa, _message(openid))
    assert code in ("", caught.value.code)
    assert (caught.value.permanent, caught.value.unknown) == (permanent, unknown)


def test_a_slow_wechat_is_unknown_and_nobody_home_is_not(double: WeChat, fresh_redis_url: str, oa: App) -> None:
    client = _client(double, fresh_redis_url, timeout_s=0.3)
    openid = _follower(double, oa)
    client.follows(oa, openid)
    double.fail("/cgi-bin/message/template/send", delay_s=1.0)
    with pytest.raises(PartnerFault) as slow:
        client.send_template(oa, _message(openid))
    assert slow.value.unknown
    nobody = Client("http://127.0.0.1:1", "", Http("wechat"), connect(fresh_redis_url), Privacy(DEVELOPMENT_KEY))
    with pytest.raises(PartnerFault) as gone:
        nobody.web_user(oa, "code")
    assert (gone.value.code, gone.value.unknown, gone.value.permanent) == ("not_reached", False, False)


def test_a_wrong_secret_is_permanent_and_stands_in_no_error(client: Client, oa: App) -> None:
    wrong = App(oa.app_id, "0123456789abcdef0123456789abcdef")
    with pytest.raises(PartnerFault) as caught:
        client.follows(wrong, "o")
    assert (caught.value.code, caught.value.permanent) == ("40125", True)
    assert wrong.secret not in str(caught.value)


def test_a_menu_is_sent_in_raw_utf8(double: WeChat, client: Client, oa: App) -> None:
    client.create_menu(oa, [{"type": "view", "name": "商保理赔", "url": "https://h5.example.com/claims"}])
    assert "商保理赔" in _calls(double, "/cgi-bin/menu/create")[-1]["body"]


def test_a_mini_programs_user_phone_and_subscribed_message(double: WeChat, client: Client, mini: App, oa: App) -> None:
    entry = double.ground.apps[mini.app_id]
    user = double.people.add({"name": "小程序用户", "phone": "13812345678"})["user"]
    found = client.mini_user(mini, double.codes.issue("login", entry, user))
    assert found.openid == double.people.openid(user, entry) and found.unionid
    assert client.phone_number(mini, double.codes.issue("phone", entry, user), found.openid) == "13812345678"
    with pytest.raises(PartnerFault, match="40029"):
        client.phone_number(mini, double.codes.issue("login", entry, user), found.openid)
    with pytest.raises(PartnerFault, match="43101"):
        client.send_subscribed(mini, _message(found.openid))
    double.subscriptions.consent(entry, user, [TEMPLATE], accept=True)
    client.send_subscribed(mini, _message(found.openid))
    with pytest.raises(PartnerFault, match="40013"):
        client.mini_user(oa, "code")


def test_the_login_page_escapes_what_it_carries(client: Client, oa: App) -> None:
    url = client.authorize_url(oa.app_id, "https://h5.example.com/h5/login?app_id=wx1&x=é#frag", "a&b")
    assert "redirect_uri=https%3A%2F%2Fh5.example.com%2Fh5%2Flogin%3Fapp_id%3Dwx1%26x%3D%C3%A9%23frag&" in url
    assert url.endswith("&state=a%26b#wechat_redirect")
