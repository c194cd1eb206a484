"""The client of the data exchange: signed messages out, answers in. Nothing else of the agent talks to the platform.

Every call is a POST of JSON signed by Standard Webhooks (https://www.standardwebhooks.com). The id of a message
stays the same on every try; the time, and with it the signature, is fresh.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from hospital_agent import clock
from hospital_agent.batch import Batch
from hospital_agent.canonical import canonical
from hospital_agent.errors import AgentError, Refused, Temporary, Unknown
from hospital_agent.signing import signer
from hospital_agent.store.commands import Command

MAX_WAIT_MS = 2_000


class NotTrusted(Temporary):
    """401: the exchange does not know us, our key or our clock. Nothing is dropped; a person has to mend it."""


class BadAnswer(AgentError):
    """The exchange answered something that is not in the contract."""


@dataclass(frozen=True)
class Link:
    """Where the exchange is and who we are to it; `secret` is a shared one (`whsec_…`) or a private key (`whsk_…`)."""

    url: str
    partner: str
    secret: str
    ca_file: str | None = None
    connect_timeout_s: float = 3.0
    timeout_s: float = 15.0


class ExchangeClient:
    """Thread-safe; one per process."""

    def __init__(self, link: Link) -> None:
        self._partner = link.partner
        self._signer = signer(link.secret)
        self._http = httpx.Client(
            base_url=link.url.rstrip("/") + "/exchange/v1",
            verify=_trust(link.ca_file),
            trust_env=False,
            timeout=httpx.Timeout(link.timeout_s, connect=link.connect_timeout_s),
        )

    def push(self, batch: Batch) -> str:
        """The batch id of the exchange. Raises Refused, Temporary."""
        answer = self._post("/batches", batch.body(), message_id=batch.webhook_id, compress=True)
        return str(answer["batch_id"])

    def verdicts(self, batch_no: int) -> dict[str, Any]:
        """`status` of the batch and `rows` with a verdict each."""
        return self._post("/batches/verdicts", canonical({"batch_no": batch_no}))

    def poll(self, limit: int, wait_ms: int, lanes: Sequence[str] | None, **more: Any) -> list[Command]:
        """Commands for us in the order of their sequence; waits at the exchange up to `wait_ms` for the first.

        `lane_limits`: of a lane no more than so many are handed out before earlier ones are answered. `lane_seen`: the
        last of a lane that we have kept; what was handed out behind it comes again, before anything newer.
        `bad_rows`: how many rows cannot be sent.
        """
        ask = {"max": limit, "wait_ms": min(wait_ms, MAX_WAIT_MS), "lanes": lanes, **more}
        asked_s = clock.steady_s()
        answer = self._post("/commands/poll", canonical(ask))
        # Never later than they were handed out: from when an answer is read, whatever held it up would be time won.
        handed_s = asked_s + answer["waited_ms"] / 1000
        return [_command(c, handed_s) for c in answer["commands"]]

    def answer(self, answers: Sequence[Mapping[str, Any]], message_id: str) -> list[str]:
        """Ids that need not be sent again: accepted now, or answered before."""
        settled = self._post("/commands/answers", canonical({"answers": answers}), message_id=message_id)
        return [*settled["accepted"], *settled["ignored"]]

    def tell(self, kind: str, data: Mapping[str, Any], message_id: str) -> None:
        """A message of ours. Raises Refused, Temporary."""
        self._post("/messages", canonical({"type": kind, "data": data}), message_id=message_id)

    def clock_skew_s(self) -> float:
        """The exchange's clock minus ours, to the second of its Date header."""
        try:
            response = self._http.post("/commands/poll", content=b"{}")
            date = response.headers["Date"]
        except (httpx.HTTPError, KeyError) as error:
            raise Temporary("exchange_unreachable") from error
        return (parsedate_to_datetime(date) - clock.now()).total_seconds()

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, body: str, *, message_id: str = "", compress: bool = False) -> dict[str, Any]:
        headers = self._signed(message_id or str(uuid.uuid4()), body)
        content = body.encode()
        if compress:
            content = gzip.compress(content, compresslevel=5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        try:
            response = self._http.post(path, content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Temporary("exchange_unreachable") from error
        except httpx.HTTPError as error:
            raise Unknown("exchange_no_answer") from error
        return _read(response)

    def _signed(self, message_id: str, body: str) -> dict[str, str]:
        at = clock.now()
        return {
            "Content-Type": "application/json",
            "Zhipei-Partner": self._partner,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(message_id, at, body),
        }


def _trust(ca_file: str | None) -> Any:
    return httpx.create_ssl_context(verify=ca_file) if ca_file else True


def _command(data: Mapping[str, Any], handed_s: float) -> Command:
    left_ms = data.get("left_ms")
    deadline_s = None if left_ms is None else handed_s + left_ms / 1000
    return Command(str(data["id"]), data["kind"], data.get("lane") or "", data["seq"], data["body"], deadline_s)


def _read(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a good answer; otherwise the error that its status means."""
    status = response.status_code
    if status == 429 or status >= 500:
        raise Temporary(f"exchange_{status}", retry_after_s=_retry_after_s(response))
    try:
        body = response.json()
    except json.JSONDecodeError as error:
        raise Temporary("exchange_bad_answer") from error
    if status == 401:
        raise NotTrusted("not_trusted", retry_after_s=5)
    if status >= 400:
        raise Refused(str(body.get("code", f"http_{status}")), str(body.get("message", "")), status=status)
    if not isinstance(body, dict):
        raise BadAnswer("exchange_bad_answer")
    return body


def _retry_after_s(response: httpx.Response) -> float:
    try:
        return min(float(response.headers.get("Retry-After", 0)), 60.0)
    except ValueError:
        return 0.0
