"""The authority's verification: by code, number and check code, whatever the hospital says of the bill."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from flask import Response, jsonify, request

from mock_partners.answers import Answer, answer_refusals, json_body, refusal
from mock_partners.double import Double

ASKED = ("code", "number", "check_code", "issued_on")
# The hospitals' e-bill platform (sf_dzpj): zt 2 is reversed (红冲).
_ISSUED = "SELECT jym, kjrq::text, zt = '2' FROM sf_dzpj WHERE pjdm = %s AND pjhm = %s"


class EBillAuthority(Double):
    """Knows what was entered under `/__mock__/e_bills`, and every e-bill in the hospitals' databases: these are issued
    through it."""

    def __init__(
        self, authority: Mapping[str, Any], his_urls: Sequence[str] = (), *, state_dir: Path | None = None
    ) -> None:
        super().__init__("e_bill_authority", state_dir=state_dir)
        self._key = authority["key"]
        self._his_urls = [url.replace("postgresql+psycopg://", "postgresql://") for url in his_urls]
        self.e_bills = self.table("e_bills")
        self.app.before_request(self._authorise)
        answer_refusals(self.app)
        self.app.add_url_rule("/v1/e-bills/verify", "verify", self._verify, methods=["POST"])
        self.app.add_url_rule("/__mock__/e_bills", "enter", self._enter, methods=["POST"])

    def enter(self, e_bill: Mapping[str, Any]) -> None:
        """Issue an e-bill, or say anew what became of it: code, number, check_code, issued_on, reversed."""
        with self.lock:
            self.e_bills.put(f"{e_bill['code']}:{e_bill['number']}", dict(e_bill))

    def _authorise(self) -> Answer | None:
        given = request.headers.get("Authorization", "")
        if request.path.startswith("/__mock__/") or hmac.compare_digest(given.encode(), f"Bearer {self._key}".encode()):
            return None
        return refusal(401, "key_invalid", "密钥无效")

    def _verify(self) -> Response:
        asked = json_body(*ASKED)
        return jsonify(status=self._status(asked))

    def _status(self, asked: Mapping[str, Any]) -> str:
        issued = self._find(str(asked["code"]), str(asked["number"]))
        if issued is None or issued["issued_on"] != asked["issued_on"]:
            return "unknown"
        if issued["check_code"] != asked["check_code"]:
            return "check_code_wrong"
        return "reversed" if issued["reversed"] else "valid"

    def _find(self, code: str, number: str) -> dict[str, Any] | None:
        entered = self.e_bills.get(f"{code}:{number}")
        if entered is not None:
            return entered
        for url in self._his_urls:
            with psycopg.connect(url) as db:
                row = db.execute(_ISSUED, (code, number)).fetchone()
            if row is not None:
                return dict(zip(("check_code", "issued_on", "reversed"), row, strict=True))
        return None

    def _enter(self) -> Answer:
        for e_bill in request.get_json():
            self.enter(e_bill)
        return jsonify(e_bills=len(self.e_bills)), 201
