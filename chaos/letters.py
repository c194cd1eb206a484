"""One message of a partner on its way, and how it is altered, forged, aged or signed anew."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

from mock_wechat.entries import Merchant
from mock_wechat.pay.signature import SCHEME, lines, make_nonce, sign

EXCHANGE, WECHAT = "/exchange/v1/", "/wechat/pay/"
PATHS = ("batches", "messages", "commands/answers")
TOO_OLD_S = 400
_FIRST_AGAIN, _batch_numbers = 10**9, itertools.count()
STRANGER = "whsec_" + "c3RyYW5nZXI" * 4


@dataclass(frozen=True)
class Letter:
    """`headers` have their names as WSGI gives them back: `Webhook-Id`."""

    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def kind(self) -> str:
        if self.path.startswith(WECHAT):
            return "wechat_pay"
        name = self.path.removeprefix(EXCHANGE)
        return str(self.content["type"]) if name == "messages" else name

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        return str(self.content["id"]) if self.path.startswith(WECHAT) else self.headers["Webhook-Id"]

    @property
    def fact(self) -> str:
        """What it says, whatever envelope it says it in."""
        if self.path.startswith(WECHAT):
            return str(self.content["resource"]["ciphertext"])
        return str(self.content["sha256"]) if self.kind == "batches" else self.body


@dataclass(frozen=True)
class Keys:
    """`secrets` by program, `merchants` by number. `peers`: another program of the same kind."""

    secrets: Mapping[str, str]
    peers: Mapping[str, str]
    merchants: Mapping[str, Merchant]

    def forgeries(self, letter: Letter) -> Iterator[tuple[str, Letter]]:
        """(how, letter): none of them may be believed."""
        yield "altered", replace(letter, body=letter.body[:-1] + " }")
        if letter.path.startswith(WECHAT):
            yield from self._forged_notifications(letter)
            return
        secret, message_id = self.secrets[letter.headers["Zhipei-Partner"]], f"msg_{uuid4().hex}"
        yield "stranger", _signed(letter, STRANGER, message_id)
        yield "too_old", _signed(letter, secret, message_id, age_s=TOO_OLD_S)
        yield "unsigned", replace(letter, headers={**letter.headers, "Webhook-Signature": ""})

    def _forged_notifications(self, letter: Letter) -> Iterator[tuple[str, Letter]]:
        mine = self.merchants[letter.path.removeprefix(WECHAT)]
        other = next(one for one in self.merchants.values() if one.mchid != mine.mchid)
        probe = letter.headers["Wechatpay-Signature"]
        signtest = {**letter.headers, "Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + probe[19:]}
        yield "signtest", replace(letter, headers=signtest)
        yield "other_merchant", _notified(letter, other)
        yield "too_old", _notified(letter, mine, age_s=TOO_OLD_S)

    def renewed(self, letter: Letter) -> Letter:
        """The same said again, by a sender that has forgotten that it said it: a new id, a new signature, and a new
        number for a batch."""
        if letter.path.startswith(WECHAT):
            body = json.dumps(letter.content | {"id": str(uuid4())}, ensure_ascii=False)
            return _notified(replace(letter, body=body), self.merchants[letter.path.removeprefix(WECHAT)])
        if letter.kind == "batches":
            again = letter.content | {"batch_no": _FIRST_AGAIN + next(_batch_numbers)}
            letter = replace(letter, body=json.dumps(again))
        return _signed(letter, self.secrets[letter.headers["Zhipei-Partner"]], f"msg_{uuid4().hex}")

    def other_content(self, letter: Letter) -> Letter | None:
        """Rightly signed under an id that was used, with another content."""
        if letter.path.startswith(WECHAT):
            return None
        secret = self.secrets[letter.headers["Zhipei-Partner"]]
        return _signed(replace(letter, body=letter.body[:-1] + " }"), secret, letter.id)

    def impostor(self, letter: Letter) -> Letter | None:
        """The same said by another program about what is not its own. A batch would be another hospital's own."""
        code = self.peers.get(letter.headers.get("Zhipei-Partner", ""))
        if code is None or letter.kind == "batches":
            return None
        as_itself = replace(letter, headers={**letter.headers, "Zhipei-Partner": code})
        return _signed(as_itself, self.secrets[code], f"msg_{uuid4().hex}")


def _signed(letter: Letter, secret: str, message_id: str, *, age_s: float = 0) -> Letter:
    at = datetime.fromtimestamp(time.time() - age_s, UTC)
    new = {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(message_id, at, letter.body),
    }
    return replace(letter, headers={**letter.headers, **new})


def _notified(letter: Letter, by: Merchant, *, age_s: float = 0) -> Letter:
    stamp, nonce = str(int(time.time() - age_s)), make_nonce()
    new = {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(by.wechat_key, lines(stamp, nonce, letter.body)),
        "Wechatpay-Serial": by.wechat_public_key_id,
        "Wechatpay-Signature-Type": SCHEME,
    }
    return replace(letter, headers={**letter.headers, **new})
