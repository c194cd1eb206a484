"""10. No identity number, phone, bank card, name or token of ours in a log, an error body, a queue argument, a URL or
Redis.

Looked for are the day's whole population and every secret of its world, in what the programs wrote, in tasks and audit
entries, in Redis (queue jobs unpacked), in the URLs that partners were called with and in the errors they were told.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import redis

from demo.invariants.needles import Needles, in_log, needles
from demo.invariants.scene import Scene

# What a partner's stand-in prints is the partner's, and `all.log` repeats the others.
_NOT_OURS = ("doubles.log", "all.log")
_ROWS = """
SELECT 'task ' || id AS what, args::text || ' ' || coalesce(last_error, '') AS text FROM task
UNION ALL
SELECT 'audit entry ' || id, concat_ws(' ', detail::text, actor_id, request_id, action) FROM audit_entry
UNION ALL
SELECT 'inbox message ' || message_id, answer::text FROM inbox_message WHERE answer IS NOT NULL
UNION ALL
SELECT 'verdicts of batch ' || batch_no, verdicts::text FROM batch WHERE verdicts IS NOT NULL
UNION ALL
SELECT 'notice ' || id, concat_ws(' ', dedupe, provider_no, refused_code) FROM notice
UNION ALL
SELECT 'number series', name FROM number_series
"""
# The app's secret stands in these by WeChat's protocol, as the access token does in others.
_BY_PROTOCOL = ("/sns/", "/cgi-bin/")
_SCAN = 1000


def check(scene: Scene) -> list[str]:
    sought = needles(scene)
    return [*_logs(scene, sought), *_rows(scene, sought), *_redis(scene, sought), *_calls(scene, sought)]


def _logs(scene: Scene, sought: Needles) -> Iterator[str]:
    for path in sorted(scene.logs.glob("*.log")) if scene.logs else ():
        if path.name not in _NOT_OURS:
            yield from _told(f"log {path.name}", in_log(sought, path.read_text(encoding="utf-8", errors="replace")))


def _rows(scene: Scene, sought: Needles) -> Iterator[str]:
    """All at once first: mostly there is nothing, and then no row is looked at alone."""
    rows = scene.rows(_ROWS)
    if sought.in_text("\n".join(row["text"] or "" for row in rows)):
        for row in rows:
            yield from _told(row["what"], sought.in_text(row["text"] or ""))


def _redis(scene: Scene, sought: Needles) -> Iterator[str]:
    with redis.Redis.from_url(scene.redis_url) as client:
        for key in client.scan_iter(count=_SCAN):
            content = [key, *_contents(client, key)]
            text = "\n".join(piece.decode(errors="replace") for piece in content)
            yield from _told(f"Redis key {_safe(key, sought)}", sought.in_text(text))


def _contents(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    if kind == b"string":
        yield from _unpacked([client.get(key) or b""])
    elif kind == b"hash":
        yield from _unpacked(piece for pair in client.hgetall(key).items() for piece in pair)
    elif kind == b"list":
        yield from _unpacked(client.lrange(key, 0, -1))
    elif kind == b"set":
        yield from _unpacked(client.smembers(key))
    elif kind == b"zset":
        yield from _unpacked(client.zrange(key, 0, -1))
    elif kind == b"stream":
        yield from _unpacked(piece for _, entry in client.xrange(key) for pair in entry.items() for piece in pair)


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A queue keeps its jobs compressed."""
    for piece in pieces:
        yield piece
        try:
            yield zlib.decompress(piece)
        except zlib.error:
            continue


def _safe(key: bytes, sought: Needles) -> str:
    text = key.decode(errors="replace")
    return "(name withheld)" if sought.in_text(text) else text[:80]


def _calls(scene: Scene, sought: Needles) -> Iterator[str]:
    """The URLs that each partner was called with, and what WeChat was answered where a push was not taken."""
    for name in scene.urls:
        for row in scene.journal(name):
            path, query = str(row.get("path", "")), str(row.get("query", ""))
            found = sought.in_text(f"{path}?{query}")
            if name == "wechat" and path.startswith(_BY_PROTOCOL):
                found = {what for what in found if not what.startswith("secret")}
            yield from _told(f"a URL at {name} ({row.get('method')} …)", found)
    for key, push in scene.state("wechat", "push").items():
        yield from _told(f"our answer to WeChat's push {key}", sought.in_text(str(push.get("last", ""))))


def _told(where: str, found: set[str] | Mapping[str, Any]) -> Iterator[str]:
    for what in sorted(found):
        yield f"{where} holds {what}"
