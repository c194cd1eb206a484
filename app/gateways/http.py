"""One way to call a partner: explicit timeouts, no redirects, every failure a PartnerFault that says what is known.

Not sent (no connection): temporary. Sent and no usable answer: unknown. 400, 409 and 422 with a code of the partner's
own: permanent. Every other 4xx (401, 403, 404, 413, 429 …) is about keys, addresses, limits and proxies, which somebody
mends, and says nothing of what was asked: temporary; 408: unknown.
"""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import httpx
from standardwebhooks import Webhook

from app.core.errors import NOT_REACHED, PartnerFault
from app.core.strict_json import read_json

REFUSALS = (400, 409, 422)


@dataclass
class Http:
    """A connection pool for one partner; thread-safe, so one for each process and partner is enough."""

    partner: str
    timeout_s: float = 10.0
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=8)
        self._client = httpx.Client(
            timeout=self.timeout_s, limits=limits, follow_redirects=False, trust_env=False, verify=_trust()
        )

    def send(self, method: str, url: str, **request: Any) -> httpx.Response:
        """The answer whatever its status; PartnerFault where there is none."""
        try:
            return self._client.request(method, url, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise PartnerFault(self.partner, NOT_REACHED) from error
        except httpx.HTTPError as error:
            raise PartnerFault(self.partner, type(error).__name__, unknown=True) from error

    def ask(self, method: str, url: str, **request: Any) -> Any:
        """The JSON of a 2xx answer; PartnerFault for every other."""
        return self.json_of(self.send(method, url, **request))

    def json_of(self, response: httpx.Response) -> Any:
        """The JSON of an answer; PartnerFault if it is no success or no JSON."""
        self.require_success(response)
        try:
            return read_json(response.content) if response.content else {}
        except ValueError as error:
            raise PartnerFault(self.partner, "not_json", unknown=True) from error

    def require_success(self, response: httpx.Response) -> None:
        status = response.status_code
        if response.is_success:
            return
        own_code = _code_of(response)
        is_unknown = status >= 500 or status == 408 or status < 400
        is_permanent = status in REFUSALS and own_code != ""
        raise PartnerFault(self.partner, own_code or f"http_{status}", permanent=is_permanent, unknown=is_unknown)

    def close(self) -> None:
        self._client.close()


def signed(secret: str, message_id: str, body: Any) -> dict[str, Any]:
    """httpx keywords for a POST of JSON with our signature."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {"content": text.encode(), "headers": {"content-type": "application/json", **sign(secret, message_id, text)}}


def sign(secret: str, message_id: str, text: str) -> dict[str, str]:
    """The headers of Standard Webhooks; `message_id` is the idempotency key and stays the same on retries. Secrets are
    separated by a blank; while one is being changed there are two, and a signature by each."""
    now = datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(one).sign(message_id, now, text) for one in secret.split()),
    }


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The certificate authorities we trust. Reading them takes 30 ms, so all clients of a process share them."""
    return httpx.create_ssl_context(trust_env=False)


def _code_of(response: httpx.Response) -> str:
    try:
        body = read_json(response.content)
    except ValueError:
        return ""
    return str(body.get("code", ""))[:64] if isinstance(body, dict) else ""
