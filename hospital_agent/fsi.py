"""The client of the medical-insurance interface (国家医保信息平台接口): one POST per message, told apart by its number.

Head and body have the published field names (infno, msgid, inf_time, fixmedins_code, input; infcode, err_msg, output).
Amounts cross in yuan and are read exactly.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from hospital_agent.clock import SHANGHAI
from hospital_agent.errors import Refused, Temporary, Unknown
from hospital_agent.sections import NetworkConfig


@dataclass(frozen=True)
class FsiMessage:
    """One message: its number, the hospital (our code, "" for ourselves), its input, and a time limit of its own."""

    infno: str
    hospital: str
    input: Mapping[str, Any]
    timeout_s: float | None = None


@dataclass(frozen=True)
class FsiAnswer:
    """`output` of a good answer, and when the interface received the request and answered it (epoch ms)."""

    output: Mapping[str, Any]
    received_ms: int | None
    answered_ms: int | None


class FsiClient:
    """Thread-safe; one per process."""

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._http = httpx.Client(base_url=config.url, trust_env=False)

    def call(self, message: FsiMessage) -> FsiAnswer:
        """Raises Refused (infcode is not 0), Temporary (did not leave this machine), Unknown (no answer)."""
        timeout_s = message.timeout_s or self._config.timeout_s
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, 3.0))
        try:
            response = self._http.post("/fsi/api", json=self._body(message), timeout=timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Temporary("interface_unreachable") from error
        except httpx.HTTPError as error:
            raise Unknown("interface_no_answer") from error
        return _read(response)

    def health(self) -> None:
        """Raises Temporary when nobody answers at the address."""
        try:
            self._http.get("/")
        except httpx.HTTPError as error:
            raise Temporary("interface_unreachable") from error

    def _body(self, message: FsiMessage) -> dict[str, Any]:
        hospital = message.hospital or self._config.operator
        return {
            "infno": message.infno,
            "msgid": uuid.uuid4().hex,
            "inf_time": datetime.now(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
            "fixmedins_code": self._config.fixmedins_codes.get(hospital, hospital),
            "opter": self._config.operator,
            "input": message.input,
        }


def _read(response: httpx.Response) -> FsiAnswer:
    if response.status_code != 200:
        raise Unknown(f"interface_{response.status_code}")
    try:
        body = json.loads(response.content, parse_float=Decimal)
        infcode = int(body["infcode"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unknown("interface_bad_answer") from error
    if infcode != 0:
        code, _, text = str(body.get("err_msg") or "interface_refused").partition(" ")
        raise Refused(code[:64], text or code)
    return FsiAnswer(body.get("output") or {}, _ms(response, "X-Received-Ms"), _ms(response, "X-Answered-Ms"))


def _ms(response: httpx.Response, name: str) -> int | None:
    value = response.headers.get(name, "")
    return int(value) if value.isdigit() else None
