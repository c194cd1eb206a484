"""The client of the hospital's own registration interface: the only door through which the agent writes anything.

200 is done, 409 and 422 are refusals with a code, everything else may pass. Every call carries a number of the
platform under which the hospital answers the same again, so an answer that was lost is simply asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from hospital_agent.errors import Refused, Temporary, Unsent
from hospital_agent.sections import InterfaceConfig

_SENT = "send_request_body.complete"


class HisClient:
    """Thread-safe; one per process."""

    def __init__(self, config: InterfaceConfig) -> None:
        self._http = httpx.Client(
            base_url=config.url, trust_env=False, timeout=httpx.Timeout(config.timeout_s, connect=3.0)
        )

    def post(self, path: str, body: Mapping[str, Any], sent: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """The answer of a done call; `sent` is called once the request has left. Raises Refused, Temporary, Unsent."""
        return self._call("POST", path, body, sent)

    def delete(self, collection: str, number: str) -> None:
        """Take back what `number` stands for; what is not there (any more) is taken back."""
        try:
            self._call("DELETE", f"/{collection}/{quote(number, safe='')}", None)
        except Refused as refused:
            if refused.status != 404:
                raise

    def health(self) -> None:
        """Raises Temporary when nobody answers at the address."""
        try:
            self._http.get("/")
        except httpx.HTTPError as error:
            raise Temporary("his_unreachable") from error

    def close(self) -> None:
        self._http.close()

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, sent: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        def trace(event: str, _: Mapping[str, Any]) -> None:
            if event.endswith(_SENT):
                sent()

        try:
            response = self._http.request(method, path, json=body, extensions={"trace": trace})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unsent("his_unreachable") from error
        except httpx.TimeoutException as error:
            raise Temporary("his_timeout") from error
        except httpx.HTTPError as error:
            raise Temporary("his_unreachable") from error
        return _read(response)


def _read(response: httpx.Response) -> dict[str, Any]:
    status = response.status_code
    try:
        body = response.json() if response.content else {}
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Temporary("his_bad_answer") from error
    if not isinstance(body, dict):
        raise Temporary("his_bad_answer")
    if status in (404, 409, 422):
        raise Refused(str(body.get("code", f"his_{status}")), str(body.get("message", "")), status=status)
    if not response.is_success:
        raise Temporary(f"his_{status}")
    return body
