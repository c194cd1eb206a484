"""The two mapping files, read by the hospital agent as it reads any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, TextClause, create_engine, literal_column, select, table, text

from hospital_agent.mapping import reader
from hospital_agent.mapping.model import Entity
from mock_partners import his
from tests.mock_partners.his.conftest import Filling, Hospital, number

FOLDER = Path(his.__file__).parent


def read(filling: Filling, hospital: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Entity -> key -> row, of everything the mapping of a filling's dialect reads."""
    mapping = reader.load(FOLDER / f"{filling.dialect}.mapping.toml")
    engine = create_engine(filling.of(hospital).replace("postgresql://", "postgresql+psycopg://", 1))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with engine.connect() as db:
        for entity in (*mapping.entities.values(), *mapping.ledger.values()):
            records = db.execute(_query(entity)).mappings().all()
            found[entity.name] = {
                entity.row_key(record, mapping.conventions): entity.data(record, mapping.conventions)
                for record in records
            }
            assert len(found[entity.name]) == len(records), f"{entity.name}: keys are not unique"
    engine.dispose()
    return found


def _query(entity: Entity) -> TextClause | Select[Any]:
    if entity.sql:
        return text(entity.sql)
    return select(literal_column("*")).select_from(table(entity.table))


def _both(filling: Filling) -> Iterator[dict[str, dict[str, dict[str, Any]]]]:
    for hospital in ("H1", "H2"):
        yield read(filling, hospital)


@pytest.mark.parametrize("filling", ["built_in", "small"])
def test_every_reference_has_its_row(filling: str, request: pytest.FixtureRequest) -> None:
    for found in _both(request.getfixturevalue(filling)):
        for entity in ("diagnosis", "procedure", "document", "bill"):
            assert {row["visit_key"] for row in found[entity].values()} <= set(found["visit"])
        for entity in ("fee_line", "e_bill"):
            assert {row["bill_key"] for row in found[entity].values()} <= set(found["bill"])
        assert {row["patient_no"] for row in found["visit"].values()} <= set(found["patient"])
        assert {row["department_code"] for row in found["doctor"].values()} <= set(found["department"])
        assert {row["doctor_code"] for row in found["slot"].values()} <= set(found["doctor"])


@pytest.mark.parametrize("filling", ["built_in", "small"])
def test_lines_add_up_and_the_book_says_what_the_patient_bore(filling: str, request: pytest.FixtureRequest) -> None:
    for found in _both(request.getfixturevalue(filling)):
        lines: Counter[str] = Counter()
        for line in found["fee_line"].values():
            lines[line["bill_key"]] += line["amount_fen"]
        for key, bill in found["bill"].items():
            assert lines[key] == bill["total_fen"]
            paid = bill["fund_fen"] + bill["account_fen"] + bill["self_pay_fen"]
            if paid == bill["total_fen"]:
                assert found["borne"][key]["amount_fen"] == bill["account_fen"] + bill["self_pay_fen"]


def test_built_in_codes_name_the_national_editions(built_in: Filling) -> None:
    found = read(built_in, "H1")
    assert {(d["code_system"], d["code_edition"]) for d in found["diagnosis"].values()} == {("ICD-10", "医保2.0")}
    assert {p["code_system"] for p in found["procedure"].values()} == {"ICD-9-CM-3"}
    assert {line["insurance_class"] for line in found["fee_line"].values()} == {"甲", "乙", "丙"}
    assert {line["category"] for line in found["fee_line"].values()} == {"drug", "treatment", "service", "material"}


def test_small_sample_codes_name_what_its_documentation_names(small: Filling) -> None:
    lines = {line["code"]: line for found in _both(small) for line in found["fee_line"].values()}
    systems = {code: (line["category"], line["code_system"], line["code_edition"]) for code, line in lines.items()}
    assert systems == {
        "SERVICE": ("service", "SNOMED-CT", "unstated"),
        "PILL": ("drug", "RxNorm", "unstated"),
        "OPERATION": ("treatment", "SNOMED-CT", "unstated"),
        "VACCINE": ("service", "unstated", "unstated"),
    }


def test_small_sample_bills_follow_charges_and_payments(small: Filling) -> None:
    bills = {key: bill for found in _both(small) for key, bill in found["bill"].items()}
    names = ("total_fen", "fund_fen", "account_fen", "self_pay_fen", "status")
    assert {key: tuple(bill[name] for name in names) for key, bill in bills.items()} == {
        "bill-1": (12_075, 6_000, 0, 6_075, "settled"),
        "bill-2": (8_000, 0, 0, 8_000, "settled"),
        "bill-3": (5_500, 0, 0, 0, "settled"),
        "bill-4": (0, 0, 0, 0, "settled"),
        "bill-5": (6_400, 0, 0, 6_400, "settled"),
        "bill-6": (7_000, 0, 0, 7_000, "settled"),
    }
    assert bills["bill-3"]["billed_on"] == "2024-02-11", "17:30 UTC is the next day in Shanghai"


def test_a_visit_of_the_day_is_read_before_and_after_its_settlement(hospital: Hospital) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    found = read(hospital.filling, hospital.code)
    bill = found["bill"][visit["bill_key"]]
    assert (bill["status"], bill["total_fen"], bill["fund_fen"]) == ("unsettled", visit["total_fen"], 0)
    assert bill["settled_at"] is None and bill["visit_key"] == visit["visit_key"]
    lines = [line for line in found["fee_line"].values() if line["bill_key"] == visit["bill_key"]]
    assert sum(line["amount_fen"] for line in lines) == visit["total_fen"]
    assert any(d["visit_key"] == visit["visit_key"] for d in found["diagnosis"].values())
    shares = {"fund_fen": visit["total_fen"] - 900, "account_fen": 200, "self_pay_fen": 700}
    notice = {
        "settlement_no": visit["bill_key"],
        "bill_key": visit["bill_key"],
        "paid_at": "2026-11-21T03:00:00Z",
        **shares,
    }
    hospital.post("/settlements", **notice)
    found = read(hospital.filling, hospital.code)
    bill = found["bill"][visit["bill_key"]]
    assert {name: bill[name] for name in shares} == shares and bill["status"] == "settled"
    assert bill["settled_at"] == "2026-11-21T03:00:00Z"
    assert found["borne"][visit["bill_key"]]["amount_fen"] == 900
    assert [e["status"] for e in found["e_bill"].values() if e["bill_key"] == visit["bill_key"]] == ["issued"]
    hospital.http.delete(f"/settlements/{visit['bill_key']}")
    found = read(hospital.filling, hospital.code)
    assert found["bill"][visit["bill_key"]]["status"] == "refunded"
    assert found["borne"][visit["bill_key"]]["status"] == "refunded"


def test_a_booked_visit_names_its_appointment(hospital: Hospital) -> None:
    person, booked = hospital.people[0], number()
    slot = hospital.rows("SELECT hyid FROM gh_hy WHERE zt = '1' LIMIT 1")[0]["hyid"]
    about = {name: person[name] for name in ("name", "document_no", "phone")}
    hospital.post("/appointments", appointment_no=booked, slot_key=slot, **about)
    visit = hospital.post("/__mock__/attend", appointment_no=booked).json()
    row = read(hospital.filling, hospital.code)["visit"][visit["visit_key"]]
    assert (row["booked_in_wechat"], row["appointment_no"]) == (True, booked)


def test_a_whole_sample_is_read_completely(sample: Filling) -> None:
    count: Counter[str] = Counter()
    refused = zero = 0
    for found in _both(sample):
        count.update({name: len(rows) for name, rows in found.items()})
        for bill in found["bill"].values():
            refused += bill["fund_fen"] + bill["account_fen"] + bill["self_pay_fen"] != bill["total_fen"]
            zero += bill["total_fen"] == 0
    expected = sample.rows(
        "H1",
        "SELECT (SELECT count(*) FROM claims) AS bill, (SELECT count(*) FROM encounters) AS visit,"
        " (SELECT count(*) FROM claims_transactions WHERE \"TYPE\" = 'CHARGE') AS fee_line,"
        " (SELECT count(*) FROM conditions) AS diagnosis, (SELECT count(*) FROM procedures) AS procedure,"
        " (SELECT count(*) FROM patients) AS patient",
    )[0]
    assert {name: count[name] for name in expected} == expected
    assert refused == sum(person["unbalanced_bills"] for person in sample.people)
    assert count["e_bill"] == count["bill"] - refused - zero
