"""The medical-insurance interface's double in a process of its own, with one uploaded bill that every trial names."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bench.ground import ROOT

TOTAL_FEN = 10_000
AT_ONCE: Mapping[str, Any] = {"kind": "fixed", "s": 0.0}
# Median 1.5 s, 99 of 100 within 8 s.
SLOW: Mapping[str, Any] = {
    "kind": "lognormal", "median_s": 1.5, "sigma": math.log(8 / 1.5) / 2.326, "seed": 1, "max_s": 12.0,
}  # fmt: skip
_HEAD = {"msgid": "setup", "inf_time": "2026-11-21 08:00:00", "fixmedins_code": "H1", "opter": "M1"}


@dataclass(frozen=True)
class Interface:
    """The double as a benchmark sees it. `treatment` is what every trial names."""

    url: str
    treatment: str

    def arrivals(self) -> list[dict[str, Any]]:
        """All trials that reached it, in order: at_ms, msgid, accepted."""
        rows: list[dict[str, Any]] = self._get("arrivals")
        return rows

    def wait_for_one(self) -> None:
        """Returns when the first trial has arrived."""
        ends_s = time.monotonic() + 60
        while not self.arrivals():
            if time.monotonic() > ends_s:
                raise SystemExit("nothing arrives")
            time.sleep(0.05)

    def violations(self) -> int:
        return int(self._get("violations")["count"])

    def lose_answers(self, count: int) -> None:
        """The next `count` trials are worked on, and nobody hears of it."""
        fault = {"infno": "2206", "drop": "after", "times": count}
        httpx.post(f"{self.url}/__mock__/faults/infno", json=fault, trust_env=False).raise_for_status()

    def _get(self, what: str) -> Any:
        return httpx.get(f"{self.url}/__mock__/{what}", timeout=30.0, trust_env=False).raise_for_status().json()


@contextmanager
def started(n: int, window_s: float, latency: Mapping[str, Any]) -> Iterator[Interface]:
    """A fresh double whose gate has seen nothing yet."""
    program = [sys.executable, "-m", "bench.interface_double", str(n), str(window_s)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(dict(latency)) + "\n")
            process.stdin.flush()
            url = process.stdout.readline().strip()
            yield Interface(url, _upload(url))
        finally:
            process.stdin.close()


def max_in_window(arrivals: list[dict[str, Any]], window_s: float) -> int:
    """The most arrivals in any half-open window."""
    times, width_ms, most, first = sorted(row["at_ms"] for row in arrivals), window_s * 1000, 0, 0
    for last, at_ms in enumerate(times):
        while at_ms - times[first] >= width_ms:
            first += 1
        most = max(most, last - first + 1)
    return most


def _upload(url: str) -> str:
    """2201, 2203, 2204: the visit and its one fee line."""
    person = {"mdtrt_cert_no": "M000000001", "psn_name": "张三", "certno": "", "ipt_otp_no": "V1"}
    treatment = str(_send(url, "2201", {"data": person})["data"]["mdtrt_id"])
    _send(url, "2203", {"mdtrtinfo": {"mdtrt_id": treatment}, "diseinfo": [{"diag_code": "J06.900"}]})
    line = {"mdtrt_id": treatment, "chrg_bchno": "B1", "feedetl_sn": "1", "chrgitm_lv": "甲"}
    _send(url, "2204", {"feedetail": [line | {"det_item_fee_sumamt": f"{TOTAL_FEN // 100}.00"}]})
    return treatment


def _send(url: str, infno: str, given: Mapping[str, Any]) -> Any:
    body = {**_HEAD, "infno": infno, "msgid": f"setup-{infno}", "input": given}
    answer = httpx.post(f"{url}/fsi/api", json=body, trust_env=False).raise_for_status().json()
    assert answer["infcode"] == 0, answer
    return answer["output"]
