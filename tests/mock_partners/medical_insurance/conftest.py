"""The interface on loopback and a caller that makes envelopes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mock_partners.medical_insurance.server import MedicalInsurance

CARD = "310000199001011234"
WHO = {"mdtrt_cert_type": "03", "mdtrt_cert_no": CARD, "certno": "11010519491231002X", "psn_name": "王芳"}


@dataclass
class Caller:
    url: str
    hospital: str = "H1"
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5, trust_env=False))

    def send(self, infno: str, given: Any, *, msgid: str = "") -> httpx.Response:
        envelope = {"infno": infno, "msgid": msgid or uuid4().hex, "inf_time": "2026-11-21 10:00:00"}
        body = {**envelope, "fixmedins_code": self.hospital, "opter": "zhipei", "input": given}
        return self.http.post(f"{self.url}/fsi/api", json=body)

    def do(self, infno: str, given: Any, *, msgid: str = "") -> Any:
        answer = self.send(infno, given, msgid=msgid).json()
        assert answer["infcode"] == 0, answer["err_msg"]
        return answer["output"]

    def refused(self, infno: str, given: Any) -> str:
        answer = self.send(infno, given).json()
        assert answer["infcode"] == -1
        return str(answer["err_msg"].split(" ")[0])

    def control(self, path: str, body: Any) -> Any:
        return self.http.post(f"{self.url}/__mock__/{path}", json=body).json()

    def registered(self, visit: str = "V1") -> str:
        given = {"data": {**WHO, "ipt_otp_no": visit, "begntime": "2026-11-21 09:00:00", "dept_name": "内科"}}
        return str(self.do("2201", given)["data"]["mdtrt_id"])

    def uploaded(self, lines: list[tuple[str, str]], visit: str = "V1") -> str:
        mdtrt_id = self.registered(visit)
        self.do("2203", {"mdtrtinfo": {"mdtrt_id": mdtrt_id, "med_type": "11"}, "diseinfo": [{"diag_code": "J06.900"}]})
        self.do("2204", {"feedetail": fees(mdtrt_id, lines)})
        return mdtrt_id


def fees(mdtrt_id: str, lines: list[tuple[str, str]], batch: str = "B1") -> list[dict[str, str]]:
    return [
        {
            "mdtrt_id": mdtrt_id,
            "chrg_bchno": batch,
            "feedetl_sn": str(number),
            "chrgitm_lv": insurance_class,
            "pric": amount,
            "cnt": "1.0000",
            "det_item_fee_sumamt": amount,
        }
        for number, (insurance_class, amount) in enumerate(lines, 1)
    ]


def asking(mdtrt_id: str, total: str, **more: str) -> dict[str, Any]:
    return {"data": {"mdtrt_id": mdtrt_id, "chrg_bchno": "B1", "medfee_sumamt": total, **more}}


@pytest.fixture
def interface(tmp_path: Path) -> Iterator[MedicalInsurance]:
    double = MedicalInsurance({"code": "M1", "n": 1000, "window_s": 6}, business_date="2026-11-21", state_dir=tmp_path)
    double.start()
    yield double
    double.stop()


@pytest.fixture
def caller(interface: MedicalInsurance) -> Caller:
    caller = Caller(interface.url)
    caller.control("cards", [{"card_no": CARD, "name": "王芳", "document_no": WHO["certno"], "account_fen": 10_00}])
    return caller
