"""The authority's double knows what the hospitals' own databases hold."""

from __future__ import annotations

from typing import Any

from mock_partners.e_bill_authority.server import EBillAuthority
from tests.mock_partners.his.conftest import Filling

ISSUED = "SELECT pjdm AS code, pjhm AS number, jym AS check_code, kjrq::text AS issued_on FROM sf_dzpj LIMIT 1"
KEY = {"Authorization": "Bearer k"}


def status(double: EBillAuthority, e_bill: dict[str, Any]) -> Any:
    answer = double.app.test_client().post("/v1/e-bills/verify", json=e_bill, headers=KEY)
    return answer.get_json().get("status") or answer.get_json()["code"]


def test_what_a_hospital_has_issued_is_valid(small: Filling) -> None:
    code = next(person["hospital"] for person in small.people)
    [e_bill] = small.rows(code, ISSUED)
    double = EBillAuthority({"key": "k"}, [small.of(hospital) for hospital in ("H1", "H2")])
    assert status(double, e_bill) in ("valid", "reversed")
    assert status(double, e_bill | {"check_code": "x"}) == "check_code_wrong"
    assert status(double, e_bill | {"number": "x"}) == "unknown"
    assert status(double, {"number": "x"}) == "malformed"
    double.enter(e_bill | {"reversed": True})
    assert status(double, e_bill) == "reversed", "what was entered comes first"
    double.stop()
