"""`python insurer.py FOLDER`: read the feed, open the claim package, say what became of the claim."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from exchange import Exchange, connect, open_package, read

MESSAGES = ("case_opened", "documents_requested", "adjudicated", "recovery_ended", "export_asked")


def follow(exchange: Exchange, keep: Any) -> int:
    """从上次确认之后取，先保存，再确认：中途断电，下次从同一处继续，同一条可能再来一次。"""
    cursor = 0
    while changes := exchange.post("/changes/poll", {"max": 100, "wait_ms": 0})["changes"]:
        for change in changes:
            keep(change)
            cursor = change["cursor"]
        exchange.post("/changes/ack", {"cursor": cursor})
    return cursor


def say(exchange: Exchange, message: dict[str, Any], business_key: str) -> str:
    """消息号由业务号得出；202 只表示收妥，不成立的消息在变更 message.refused 中说明。"""
    return str(exchange.post("/messages", message, business_key)["message_id"])


def main(folder: str, http: Any = None) -> None:
    exchange, kept = connect(folder, http), list[dict[str, Any]]()
    print("cursor", follow(exchange, kept.append))
    private_key = Path(folder, "package-key.pem").read_text(encoding="utf-8")
    for change in kept:
        if change["type"] == "claim.package":
            parts = open_package(change["data"]["package"], private_key)
            print(change["data"]["claim_no"], sorted(parts))
    for name in MESSAGES:
        message = read(folder, f"{name}.json")
        say(exchange, message, f"{name}-{message['data']['claim_no']}")
    print("keys", [key["key_id"] for key in exchange.post("/keys", {})["keys"]])


if __name__ == "__main__":
    main(sys.argv[1])
