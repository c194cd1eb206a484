"""Follow the hospital's public account, log in, bind: each patient with their own phone, children with a guardian's."""

from __future__ import annotations

from typing import Any

from demo.day.context import WAITING_AT_ONCE, Day, Patient
from demo.day.http import DayBroken, Login, until

PROOF = {"kind": "household_register", "number": "HK-2026-0001"}
# Every fourth patient also opens the hospital's mini-program.
MINI_EVERY = 4


def bind_everyone(day: Day) -> None:
    day.for_each(lambda patient: _bind(day, patient), day.patients, at_once=WAITING_AT_ONCE)
    day.for_each(lambda patient: _open_mini_program(day, patient), day.patients[::MINI_EVERY])


def _bind(day: Day, patient: Patient) -> None:
    facts = patient.facts
    adult = facts["guardian"] or facts
    user = {"user": patient.user, "name": adult["name"], "phone": adult["phone"], "id_no": adult["document_no"]}
    day.wechat.post("/__mock__/phone/users", user)
    day.wechat.post("/__mock__/phone/follow", {"user": patient.user, "app_id": day.app_id(patient.hospital)})
    patient.login = _log_in(day, patient)
    if facts["guardian"]:
        _claim(day, patient, facts["guardian"], "self")
    relation = "child" if facts["guardian"] else "self"
    binding = _claim(day, patient, facts, relation)
    patient.person_id = binding["person"]["id"]


def _log_in(day: Day, patient: Patient) -> Login:
    """By the web page of the public account."""
    app_id = day.app_id(patient.hospital)
    started = day.product.get("/api/v1/login/state", app_id=app_id)
    consent = {
        "user": patient.user,
        "app_id": app_id,
        "redirect_uri": f"{day.stack.public_url}/h5/login?app_id={app_id}",
        "state": started["state"],
    }
    given = day.wechat.post("/__mock__/phone/authorize", consent)
    pair = day.product.post("/api/v1/login/oauth", {"app_id": app_id, "code": given["code"], "state": given["state"]})
    return Login(day.product, "/api/v1/login/refresh", pair["access_token"], pair["refresh_token"])


def _open_mini_program(day: Day, patient: Patient) -> None:
    """The mini-program's account is another one: its list of people begins empty."""
    app_id = day.app_id(patient.hospital, "mini")
    code = day.wechat.post("/__mock__/phone/mini_login", {"user": patient.user, "app_id": app_id})["code"]
    pair = day.product.post("/api/v1/login/mini", {"app_id": app_id, "code": code})
    login = Login(day.product, "/api/v1/login/refresh", pair["access_token"], pair["refresh_token"])
    if login.get("/api/v1/bindings")["bindings"]:
        raise DayBroken("a new mini-program account knows somebody")


def _claim(day: Day, patient: Patient, facts: dict[str, Any], relation: str) -> dict[str, Any]:
    """Bind one person to the patient's account; the live binding."""
    wanted = {
        "name": facts["name"],
        "document_type": facts["document_type"],
        "document_no": facts["document_no"],
        "phone": facts["phone"],
        "phone_code": _phone_code(day, patient, facts["phone"]),
        "relation": relation,
        "consent": True,
    }
    if facts.get("medical_card_no"):
        wanted["medical_card_no"] = facts["medical_card_no"]
    if relation == "child":
        wanted["guardian_proof"] = PROOF
    binding = patient.api.post("/api/v1/bindings", wanted)

    def live() -> dict[str, Any] | None:
        found: dict[str, Any] = patient.api.get(f"/api/v1/bindings/{binding['id']}")
        if found["status"] in ("refused", "expired", "revoked"):
            raise DayBroken(f"binding {found['status']}: {found['refused_code']}")
        return found if found["status"] == "live" else None

    return until("binding", live)


def _phone_code(day: Day, patient: Patient, phone: str) -> str:
    """Ask for a code and read it from the SMS that arrives."""
    used = day.codes.to(phone)
    patient.api.post("/api/v1/phone-codes", {"phone": phone})
    return until("SMS with the code", lambda: next(iter(day.codes.to(phone) - used), None))
