from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from demo.invariants.inv_10_secrets import check
from demo.invariants.scene import Scene
from mock_wechat.server import WeChat
from tests.demo.invariants.kit import MASTER_KEY, SECRET, WORLD, Ground, one, scene_of

NAME, NUMBER, PHONE, CARD = "欧阳·娜娜", "11010519491231002X", "13812345678", "6217000010000000018"
POPULATION = frozenset({NAME, NUMBER, PHONE, CARD, "Adele Example", "张伟"})
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dGhlLXNpZ25hdHVyZQ"


@pytest.fixture
def cache(fresh_redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(fresh_redis_url) as client:
        yield client


@pytest.fixture
def scene(ground: Ground, fresh_redis_url: str, tmp_path: Path) -> Scene:
    return scene_of(ground, redis_url=fresh_redis_url, logs=tmp_path, population=POPULATION)


def test_masks_numbers_of_ours_and_other_digits_are_no_findings(
    ground: Ground, scene: Scene, cache: redis.Redis, tmp_path: Path
) -> None:
    lines = f"1{PHONE} {PHONE}9 张* 138****5678 access_token=*** 2026-11-21T04:00:00.123456Z v1.k1.nonce.body"
    (tmp_path / "web.log").write_text(lines, encoding="utf-8")
    (tmp_path / "doubles.log").write_text(PHONE, encoding="utf-8")
    ground.add("task", kind="k", args={"no": "CL202611210000000001"}, last_error="PartnerFault: busy")
    cache.set("recon:20261121:0", zlib.compress(b"numbers"))
    assert check(scene) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"refused {NUMBER}", "number"),
        (f"refused {NUMBER.lower()}", "number"),
        (f'{{"phone":"{PHONE}"}}', "number"),
        (f"+86{PHONE}", "number"),
        (CARD, "number"),
        (f"患者{NAME}未到", "name"),
        ("dear Adele Example", "name"),
        (SECRET.removeprefix("whsec_"), "secret"),
        (MASTER_KEY.partition(":")[2], "secret"),
        (f"Bearer {JWT}", "a JWT"),
        ("GET /cgi-bin/menu?access_token=73_abcdefgh", "an access token"),
    ],
)
def test_what_stands_in_a_log_is_named_and_not_told(scene: Scene, tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "worker-1.log").write_text(f"line\n{text}\n", encoding="utf-8")
    finding = one(check(scene), "log worker-1.log holds", what)
    assert not any(told in finding for told in (*POPULATION, SECRET, MASTER_KEY))


def test_tasks_and_audit_entries_are_searched(ground: Ground, scene: Scene) -> None:
    task = ground.add("task", kind="k", args={"phone": PHONE})
    entry = ground.add("audit_entry", action="a", detail={"name": "张伟"}, xid=1)
    found = check(scene)
    assert any(finding.startswith(f"task {task['id']} holds number") for finding in found)
    assert any(finding.startswith(f"audit entry {entry['id']} holds name") for finding in found)
    assert len(found) == 2


def test_answers_and_verdicts_are_searched(ground: Ground, scene: Scene) -> None:
    ground.add("inbox_message", message_id="msg_1", answer={"message": f"{PHONE} 已存在"})
    one(check(scene), "inbox message msg_1 holds number")


def test_redis_is_searched_in_every_type(scene: Scene, cache: redis.Redis) -> None:
    cache.set("plain", PHONE)
    cache.hset("rq:job:1", "data", zlib.compress(NUMBER.encode()))
    cache.rpush("list", "x", NAME)
    cache.sadd("set", CARD)
    cache.zadd("zset", {JWT: 1})
    cache.xadd("stream", {"secret": SECRET})
    cache.set(f"code:{PHONE}", "1")
    found = "\n".join(check(scene))
    for key in ("plain", "rq:job:1", "list", "set", "zset", "stream", "(name withheld)"):
        assert f"Redis key {key} holds" in found, key
    assert PHONE not in found


def test_urls_are_searched_and_wechats_own_token_is_its_protocol(
    scene: Scene, wechat: WeChat, wechat_world: dict[str, Any], cache: redis.Redis
) -> None:
    wechat.ground.table("access_token").put("73_the-token-of-wechat", {})
    secret = {"secret": "a-very-secret-app", "app_id": "wx1"}
    world = {**WORLD, "wechat": {**wechat_world, "apps": [secret]}}
    judged = replace(scene, world=world, urls={"wechat": wechat.url})
    by_protocol = "appid=wx1&secret=a-very-secret-app&access_token=73_the-token-of-wechat"
    wechat.note(method="GET", path="/sns/oauth2/access_token", query=by_protocol, body="", status=200)
    assert check(judged) == []
    wechat.note(method="GET", path="/v3/pay/orders", query=f"payer={PHONE}", body=PHONE, status=200)
    one(check(judged), "a URL at wechat (GET …) holds number")
    cache.set("wechat:token", "73_the-token-of-wechat")
    assert any("Redis key wechat:token holds secret" in finding for finding in check(judged))


def test_our_answers_to_pushes_are_searched(scene: Scene, wechat: WeChat) -> None:
    push = {"kind": "callback", "state": "given_up", "last": f"500 no {PHONE}"}
    wechat.ground.table("push").put("000000001", push)
    judged = replace(scene, urls={"wechat": wechat.url})
    one(check(judged), "our answer to WeChat's push 000000001 holds number")
