"""A partner's side of the exchange in one file: sign, send, try again, verify what comes in.

    pip install httpx standardwebhooks cryptography joserfc

`partner.json` is what `flask --app wsgi sandbox new hospital|insurer` writes: exchange_url, partner, secret.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwe
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey
from standardwebhooks import Webhook

TRIES = 5
AMOUNTS = {"bill": "total_fen", "ledger": "amount_fen"}
MAX_BYTES = 16 * 1024 * 1024  # 理赔包的一个部分或文件，加密之前最大这么多


def canonical(value: Any) -> str:
    """规范 JSON：键排序、无空格、不转义、UTF-8。"""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(key: str, message_id: str, at: datetime, body: str) -> str:
    """请求头 webhook-signature：共享密钥 whsec_… 用 HMAC（v1），私钥 whsk_… 用 Ed25519（v1a）。"""
    if not key.startswith("whsk_"):
        return Webhook(key).sign(message_id, at, body)
    seed = b64decode(key.removeprefix("whsk_"))[:32]
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(f"{message_id}.{int(at.timestamp())}.{body}".encode())
    return f"v1a,{b64encode(signature).decode()}"


def new_key_pair() -> tuple[str, str]:
    """一对 Ed25519 密钥：私钥 whsk_… 只留在自己手里，公钥 whpk_… 交给平台。"""
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes_raw(), key.public_key().public_bytes_raw()
    return "whsk_" + b64encode(b"".join(raw)).decode(), "whpk_" + b64encode(raw[1]).decode()


class Exchange:
    """Calls of one program. `key` is `whsec_…` or `whsk_…`."""

    def __init__(self, url: str, partner: str, key: str, http: Any = None) -> None:
        self.url, self.partner, self.key = url.rstrip("/") + "/exchange/v1", partner, key
        self.http = http or httpx.Client(timeout=15.0)

    def post(self, path: str, body: Mapping[str, Any], message_id: str = "") -> dict[str, Any]:
        """Raises RuntimeError with code and fields of a refusal. The same `message_id` again has its effect once; so
        whatever may have been taken is tried again under it. A question has none: each try asks anew."""
        text = canonical(body)
        for tried in range(1, TRIES + 1):
            try:
                answer = self._send(path, text, message_id or f"msg_{uuid.uuid4().hex}")
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                return _read(answer)
            time.sleep(_pause_s(answer, tried))
        raise RuntimeError("exchange_unreachable")

    def _send(self, path: str, text: str, message_id: str) -> Any:
        at = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Zhipei-Partner": self.partner,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": sign(self.key, message_id, at, text),  # 签的是压缩前的正文
        }
        return self.http.post(self.url + path, content=gzip.compress(text.encode()), headers=headers)


def _pause_s(answer: Any, tried: int) -> float:
    """`Retry-After` 是秒数就照它；没有，或是日期，间隔逐次加倍。"""
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(asked) if asked.isdecimal() else 0.2 * 2**tried


def _read(answer: Any) -> dict[str, Any]:
    said: dict[str, Any] = answer.json()
    if answer.status_code >= 400:
        raise RuntimeError(f"{answer.status_code} {said['code']} {said['fields']}")
    return said


def batch(batch_no: int, kind: str, business_date: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """申报自己的行数、金额与摘要的批次。"""
    return {
        "batch_no": batch_no,
        "kind": kind,
        "business_date": business_date,
        "count": len(rows),
        "amount_fen": sum(row["data"][AMOUNTS[row["type"]]] for row in rows if row["type"] in AMOUNTS),
        "sha256": sha256(canonical(rows).encode()).hexdigest(),
        "rows": rows,
    }


def is_ours(secrets: list[str], headers: Mapping[str, str], body: str) -> bool:
    """平台发来的消息是否由我们的共享密钥之一签名（更换密钥期间有两把）。"""
    for secret in secrets:
        try:
            Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()}, json_parse=False)
        except Exception:
            continue
        return True
    return False


class PackageJwe(JWERegistry):
    """joserfc 默认只解 64 KB。只许可这两个算法，所以也没有压缩（`zip`）。"""

    max_ciphertext_length = MAX_BYTES * 4 // 3 + 4


def open_package(package: Mapping[str, Any], private_key_pem: str) -> dict[str, Any]:
    """理赔包的全部部分，明文。先用 claim_checker 校验，再解密。"""
    key = ECKey.import_key(private_key_pem)
    registry = PackageJwe(algorithms=["ECDH-ES+A256KW", "A256GCM"])
    opened = {
        name: json.loads(jwe.decrypt_compact(text, key, registry=registry).plaintext or b"")
        for name, text in package["encrypted"].items()
    }
    return {**package["parts"], **opened}


def connect(folder: str, http: Any = None) -> Exchange:
    known = json.loads(Path(folder, "partner.json").read_text(encoding="utf-8"))
    return Exchange(known["exchange_url"], known["partner"], known["secret"], http)


def read(folder: str, name: str) -> Any:
    return json.loads(Path(folder, name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    print("\n".join(new_key_pair()) if sys.argv[1:] == ["new-key-pair"] else __doc__)
