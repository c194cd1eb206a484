"""What the SMS gateway and the mail gateway have in common: a key, one message per number of ours, a list of all."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, jsonify, make_response, render_template, request

from mock_partners.answers import Answer, Refused, answer_refusals, json_body, refusal
from mock_partners.books import key_of
from mock_partners.double import Double

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPEN_TO_ALL = ("/__mock__/", "/inbox")


class Courier(Double, ABC):
    """Takes messages at `path` from whoever holds the key; keeps them in the table `messages` in order of arrival and
    shows them to people at `/inbox`, under the heading `title`."""

    fields: tuple[str, ...]
    title: str

    def __init__(self, name: str, gateway: Mapping[str, Any], path: str, *, state_dir: Path | None = None) -> None:
        super().__init__(name, state_dir=state_dir)
        self._key = gateway["key"]
        self._messages = self.table("messages")
        self.app.before_request(self._authorise)
        answer_refusals(self.app)
        self.app.template_folder = str(Path(__file__).parent / "templates")
        self.app.jinja_env.filters["local"] = _local
        self.app.add_url_rule("/inbox", "inbox", self._inbox)
        self.app.add_url_rule(path, "take", self._take, methods=["POST"])

    @abstractmethod
    def check(self, message: Mapping[str, Any]) -> None:
        """Raise Refused if the message could not be delivered as it is."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self._messages.values())

    def _authorise(self) -> Answer | None:
        given = request.headers.get("Authorization", "")
        if request.path.startswith(OPEN_TO_ALL) or hmac.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            return None
        return refusal(401, "key_invalid", "密钥无效")

    def _inbox(self) -> Response:
        return make_response(render_template("inbox.html", title=self.title, messages=self.messages))

    def _take(self) -> Response:
        message = json_body(*self.fields)
        digest = key_of(message)
        with self.lock:
            known = self._messages.get(message["out_id"])
            if known and known["digest"] != digest:
                raise Refused(409, "out_id_reused", "该业务号已用于其他消息")
            if known is None:
                self.check(message)
                known = {**message, "message_id": f"{self.name}-{len(self._messages) + 1:09d}", "digest": digest}
                self._messages.put(message["out_id"], {**known, "at": self.clock.now().isoformat()})
        return jsonify(message_id=known["message_id"])


def _local(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
