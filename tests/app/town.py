"""A town for tests of settlement, claim and payout: patients, their hospital, insurers, a bank and WeChat Pay.

The partners are the doubles, over HTTP. What the hospital's agent and the medical insurance's agent would do, the test
does itself as their signing program, so that each answer can be early, late, wrong or missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.serving import BaseWSGIServer, make_server

from app.core.settings import Settings
from app.core.work import Runtime
from app.exchange import service as exchange
from app.factory import create_app
from app.identity import seeding
from app.identity import service as identity
from app.identity.service import PersonFacts
from app.record import queries as record
from mock_partners.bank import Bank
from mock_partners.company import make_insurer
from mock_partners.double import Double
from mock_partners.insurer.server import Insurer
from mock_partners.insurer_s200.server import InsurerS200
from mock_wechat.server import WeChat
from tests.app.identity.kit import Clinic, Patient, identity_number, patient_number, phone_number
from tests.app.kit import DrainAll, Thread, runtime_on
from tests.app.partner import PartnerClient, batch
from tests.app.patients import bind
from tests.app.world import make_world
from workers.kinds import KINDS

DAY = "2026-11-21"
# Notices have tests of their own; here they would only wait for a public account that nobody follows.
QUIET = ("notification.", "audit.")
BUSINESS = tuple(kind for kind in KINDS if not kind.startswith(QUIET))
GOOD_CARD = "6222021234567890128"


class Front:
    """One HTTP address for the whole test process; behind it stands the product of the test that runs."""

    def __init__(self) -> None:
        self.app: Any = None
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(lambda: self._server.serve_forever(0.05))

    def _serve(self, environ: Any, start_response: Any) -> Any:
        app = self.app
        if app is None:
            start_response("503 Service Unavailable", [])
            return [b""]
        return app(environ, start_response)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Insured:
    """A patient with a WeChat account, bound, and known to the hospital under `patient_no`."""

    patient: Patient
    person_id: UUID
    patient_no: str
    name: str
    document_no: str
    birth_date: str

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.patient.post(path, body, **how)

    def get(self, path: str) -> Any:
        return self.patient.get(path).get_json()

    def accept(self, claim_id: str) -> Any:
        """The decision that the patient sees now."""
        return self.post(f"/claims/{claim_id}/accept", {"decision_no": self.get(f"/claims/{claim_id}")["decision_no"]})

    @property
    def account_id(self) -> UUID:
        return self.patient.account_id


@dataclass
class Town:
    clinic: Clinic
    drain_all: DrainAll
    insurers: dict[str, Insurer]
    bank: Bank
    batch_nos: dict[str, int] = field(default_factory=dict)
    dead_before: int = 0

    @property
    def runtime(self) -> Runtime:
        return self.clinic.runtime

    @property
    def wechat(self) -> WeChat:
        return self.clinic.wechat

    def agent(self, code: str) -> PartnerClient:
        """The program of a hospital, of the medical insurance (M1), an insurer or the bank (B1)."""
        world = self.clinic.world
        if code == "M1":
            program = world["medical_insurance"]["agent"]
        elif code == "B1":
            program = world["bank"]
        else:
            owner = next(o for o in (*world["hospitals"], *world["insurers"]) if o["code"] == code)
            program = owner.get("agent") or owner
        return PartnerClient(self.clinic.client, program["partner"], program["secret"])

    def insured(self, name: str = "张三", *, at: str = "H1", birth: str = "19900307") -> Insured:
        """An adult who has bound himself, at a hospital that knows him: written down without asking anybody."""
        phone, number, document_no = phone_number(), patient_number(), identity_number(birth)
        user = str(self.wechat.people.add({"name": name, "phone": phone})["user"])
        patient = self.clinic.log_in(at, user)
        born = date(int(birth[:4]), int(birth[4:6]), int(birth[6:]))
        facts = PersonFacts(name, "id_card", document_no, phone, born, "male", f"M{number}")
        with self.runtime.work() as work:
            hospital_id = exchange.party_by_code(work.session, at).id
            person_id = bind(work, patient.account_id, hospital_id, facts)
            identity.set_patient_number(work, hospital_id, number, person_id)
        return Insured(patient, person_id, number, name, document_no, born.isoformat())

    def push(self, rows: Sequence[Mapping[str, Any]], *, at: str = "H1") -> None:
        """Rows that the hospital's agent pushes, applied."""
        self.batch_nos[at] = self.batch_nos.get(at, 0) + 1
        self.agent(at).ok("/batches", batch(self.batch_nos[at], "record", rows))
        self.drain_all("record.apply")

    def bill(self, who: Insured, amounts: Sequence[int] = (10_000,), *, at: str = "H1", **how: Any) -> UUID:
        """A visit with its bill and fee lines, pushed by the hospital; the bill's id. See `bill_rows`."""
        key = f"{who.patient_no}-{time.monotonic_ns()}"
        self.push(bill_rows(key, who.patient_no, amounts, **how), at=at)
        return self.bill_id(key, at=at)

    def bill_id(self, key: str, *, at: str = "H1") -> UUID:
        with self.runtime.read() as session:
            hospital = session.execute(text("SELECT id FROM party WHERE code = :code"), {"code": at}).scalar_one()
            found = record.bill_by_key(session, hospital, key)
        assert found is not None
        return found.id

    def key_of(self, bill_id: UUID) -> str:
        return str(self.value("SELECT key FROM bill WHERE id = :id", id=bill_id))

    def policy(self, who: Insured, code: str = "I1", **terms: Any) -> str:
        """A policy of this person at the insurer's double; its number."""
        policy_no = terms.pop("policy_no", f"P-{who.patient_no}-{code}")
        insured = {"name": who.name, "document_type": "id_card", "document_no": who.document_no,
                   "birth_date": who.birth_date}  # fmt: skip
        body = {
            "policy_no": policy_no,
            "product_name": "住院医疗保险",
            "product_filing_no": f"C0000{code}2026",
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
            "insured": insured,
            "ratio": "0.90",
        } | terms
        answer = self.insurers[code].app.test_client().post("/__mock__/policies", json=[body])
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(policy_no)

    def apply_for(self, who: Insured, bills: Sequence[UUID], code: str = "I1", **wanted: Any) -> Any:
        """POST /claims: the answer."""
        body = {
            "person_id": str(who.person_id),
            "insurer": code,
            "bill_ids": [str(one) for one in bills],
            "payee": {"kind": "bank", "bank_account": GOOD_CARD},
            "consent": True,
            "health_consent": True,
        } | wanted
        return who.post("/claims", body)

    def claim(self, who: Insured, bills: Sequence[UUID], code: str = "I1", **wanted: Any) -> str:
        """A submitted claim; its id."""
        answer = self.apply_for(who, bills, code, **wanted)
        assert answer.status_code == 201, answer.get_json()
        return str(answer.get_json()["id"])

    def status(self, claim_id: str) -> str:
        return str(self.value("SELECT status FROM claim WHERE id = :id", id=claim_id))

    def settle_down(self, *kinds: str, timeout_s: float = 60.0) -> None:
        """Workers work and partners think until nothing more happens. Tasks of the future stay where they are."""
        ends_s = time.monotonic() + timeout_s
        quiet = 0
        while quiet < 2:
            assert time.monotonic() < ends_s, "it never settles"
            worked = self.drain_all(*(kinds or BUSINESS))
            idle = all([_at_rest(self.bank), *map(_at_rest, self.insurers.values())])
            quiet = quiet + 1 if idle and not worked else 0
            if not idle:
                time.sleep(0.01)

    def until(self, look: Callable[[], Any], timeout_s: float = 60.0, *kinds: str) -> Any:
        """Work until `look` finds something, which is answered."""
        ends_s = time.monotonic() + timeout_s
        while not (found := look()):
            assert time.monotonic() < ends_s, "not in time"
            self.drain_all(*(kinds or BUSINESS))
            time.sleep(0.01)
        return found

    def value(self, query: str, **values: Any) -> Any:
        with self.runtime.read() as session:
            return session.execute(text(query), values).scalar()

    def rows(self, query: str, **values: Any) -> list[Any]:
        return self.clinic.rows(query, **values)

    def dead(self) -> list[Any]:
        """Tasks that wait on the replay desk: (kind, cause)."""
        found = "SELECT kind, last_error FROM task WHERE status = 'dead' AND id > :id ORDER BY id"
        return [tuple(row) for row in self.rows(found, id=self.dead_before)]

    def commands(self, code: str, *lanes: str) -> list[dict[str, Any]]:
        """What this party's agent is asked to do now."""
        return self.agent(code).poll(lanes=list(lanes) or None)


def _at_rest(double: Insurer | Bank) -> bool:
    """Every message was taken, and nothing is to be done soon."""
    soon = time.time() + 60
    return double.sender.idle() and all(item["due_at"] > soon for item in double.memory.load("agenda").values())


def bill_rows(key: str, patient_no: str, amounts: Sequence[int] = (10_000,), **how: Any) -> list[dict[str, Any]]:
    """Rows of one visit with one bill. `fund_fen` is paid by the fund, `account_fen` from the personal account;
    `settled` False leaves the bill open, `e_bill` "" leaves the e-bill away, `version` is that of every row."""
    version, settled = how.get("version", 1), how.get("settled", True)
    total, fund, account = sum(amounts), how.get("fund_fen", 0), how.get("account_fen", 0)
    at, coded = f"{DAY}T02:00:00Z", {"code_system": "ICD-10", "code_edition": "国家临床版2.0"}
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("visit", f"V{key}", {
            "patient_no": patient_no, "kind": "outpatient", "campus": "本部", "department_name": "内科",
            "doctor_name": "李医生", "started_at": at, "ended_at": at, "booked_in_wechat": True,
            "appointment_no": None}),
        ("diagnosis", f"D{key}", {
            "visit_key": f"V{key}", "code": "J06.900", "name": "急性上呼吸道感染", "main": True,
            "stage": "outpatient", **coded}),
        ("document", f"M{key}", {
            "visit_key": f"V{key}", "kind": "medical_record", "title": "门诊病历", "text": "咽痛三天"}),
        ("bill", key, {
            "visit_key": f"V{key}", "patient_no": patient_no, "bill_no": f"B{key}", "total_fen": total,
            "fund_fen": fund if settled else 0, "account_fen": account if settled else 0,
            "self_pay_fen": total - fund - account if settled else 0,
            "status": how.get("status", "settled" if settled else "unsettled"), "billed_on": DAY,
            "settled_at": at if settled else None}),
    ]  # fmt: skip
    rows += [
        ("fee_line", f"{key}-{number}", {
            "bill_key": key, "line_no": number, "category": "drug", "code": f"X{number:03d}", "name": f"药品{number}",
            "code_system": "hospital", "code_edition": "2026", "insurance_code": None, "insurance_class": "甲",
            "unit_price": f"{abs(amount) / 100:.6f}", "quantity": "1.0000" if amount >= 0 else "-1.0000",
            "amount_fen": amount, "at": at})
        for number, amount in enumerate(amounts, 1)
    ]  # fmt: skip
    if settled and how.get("e_bill", "issued"):
        rows.append(e_bill_row(key, how.get("e_bill", "issued")))
    return [{"type": kind, "key": name, "version": version, "data": data} for kind, name, data in rows]


def e_bill_row(key: str, status: str = "issued") -> tuple[str, str, dict[str, Any]]:
    return ("e_bill", f"E{key}", {
        "bill_key": key, "code": "31010126", "number": key[-20:], "check_code": "abc123", "issued_on": DAY,
        "status": status, "sha256": "0" * 64})  # fmt: skip


def as_row(row: tuple[str, str, dict[str, Any]], version: int = 1) -> dict[str, Any]:
    return {"type": row[0], "key": row[1], "version": version, "data": row[2]}


@pytest.fixture(scope="session")
def front() -> Iterator[Front]:
    front = Front()
    yield front
    front.stop()


@pytest.fixture(scope="session")
def wechat() -> Iterator[WeChat]:
    """Shared by the tests of this process; each makes users of its own."""
    with WeChat(make_world()["wechat"] | {"settings": {"ladder_factor": 0.01, "refund_takes_s": 0.0}}) as double:
        yield double


BRISK: dict[type, dict[str, Any]] = {
    Insurer: {"delay_s": 0.0},
    InsurerS200: {"delay_s": 0.0},
    Bank: {"finish_after_s": 0.01, "return_after_s": 0.02},
}


@dataclass
class Partners:
    """The world, entered, and the doubles that live in it."""

    world: dict[str, Any]
    insurers: dict[str, Insurer]
    bank: Bank


def make_settings(database_url: str, redis_url: str, wechat: WeChat, front: Front) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        wechat_api_url=wechat.url,
        wechat_open_url=wechat.url,
        wechat_pay_url=wechat.url,
        public_url=front.url,
        exchange_url=front.url,
        partner_timeout_s=2.0,
        caller_limit="100000 per minute",
        partner_limit="100000 per minute",
    )


@contextmanager
def peopled(
    runtime: Runtime, client: FlaskClient, front: Front, terms: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[Partners]:
    """The world of tests/app/world.py, entered, with its insurers and its bank at work. `terms` of insurers by code,
    such as the dialect, are added to what the world says of them."""
    world = make_world()
    key = runtime.signing.current
    world["platform"] = {"exchange_url": front.url, "package_public_keys": {key.key_id: key.public_key}}
    for entry in world["insurers"]:
        entry.update((terms or {}).get(entry["code"], {}))
    front.app = client.application
    insurers = {one["code"]: make_insurer(one, world["platform"]) for one in world["insurers"]}
    bank = Bank(world)
    for double, entry in [*zip(insurers.values(), world["insurers"], strict=True), (bank, world["bank"])]:
        entry["url"] = double.start()
        configure(double)
    with runtime.work() as work:
        seeding.seed(work, world | {"operators": []})
    yield Partners(world, insurers, bank)
    front.app = None
    for double in (*insurers.values(), bank):
        double.stop()


def configure(double: Double, **settings: Any) -> None:
    """A double's settings: brisk, unless a test wants it otherwise."""
    answer = double.app.test_client().post("/__mock__/settings", json=BRISK[type(double)] | settings)
    assert answer.status_code == 200


@pytest.fixture
def settings(fresh_database_url: str, redis_url: str, wechat: WeChat, front: Front) -> Settings:
    return make_settings(fresh_database_url, redis_url, wechat, front)


@pytest.fixture
def town(runtime: Runtime, client: FlaskClient, wechat: WeChat, front: Front, drain_all: DrainAll) -> Iterator[Town]:
    """A town of this test's own."""
    wechat.faults.clear()
    with peopled(runtime, client, front) as here:
        yield Town(Clinic(runtime, client, wechat, here.world, drain_all), drain_all, here.insurers, here.bank)


# The same for tests that bring people of their own and may live in one town with the others of their module.
@pytest.fixture(scope="module", name="settings")
def shared_settings(module_database_url: str, redis_url: str, wechat: WeChat, front: Front) -> Settings:
    return make_settings(module_database_url, redis_url, wechat, front)


@pytest.fixture(scope="module", name="runtime")
def shared_runtime(settings: Settings) -> Iterator[Runtime]:
    with runtime_on(settings) as runtime:
        yield runtime


@pytest.fixture(scope="module", name="client")
def shared_client(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


@pytest.fixture(scope="module", name="partners")
def shared_partners(runtime: Runtime, client: FlaskClient, front: Front) -> Iterator[Partners]:
    with peopled(runtime, client, front) as here:
        yield here


@pytest.fixture(name="town")
def shared_town(
    runtime: Runtime, client: FlaskClient, wechat: WeChat, partners: Partners, drain_all: DrainAll
) -> Iterator[Town]:
    town = Town(Clinic(runtime, client, wechat, partners.world, drain_all), drain_all, partners.insurers, partners.bank)
    town.batch_nos = partners.world.setdefault("batch_nos", {})
    town.rows("DELETE FROM task WHERE status = 'due'")  # what the tests before left to be done later
    town.dead_before = int(town.value("SELECT coalesce(max(id), 0) FROM task WHERE status = 'dead'"))
    yield town
    for double in (wechat, partners.bank, *partners.insurers.values()):
        double.faults.clear()
    for insurer in (partners.bank, *partners.insurers.values()):
        configure(insurer)
