from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

from mock_partners.his import fees, visits
from mock_partners.his.chart import Chart
from mock_partners.his.visits import Encounter

AT = datetime.fromisoformat("2026-11-21T09:30")


def _encounter(days: int = 0) -> Encounter:
    return Encounter("V1", "B1", "P1", "0407", "040701", AT, inpatient_days=days, appointment_no=None)


def _written(days: int) -> Chart:
    chart, rng = Chart(), random.Random(5)
    lines = fees.inpatient(rng, days, implant=False) if days else fees.outpatient(rng, returned=False)
    visits.write_visit(chart, _encounter(days), rng, lines)
    visits.write_unsettled_bill(chart, _encounter(days), lines)
    return chart


def test_an_inpatient_has_both_diagnoses_an_operation_and_a_discharge_note() -> None:
    tables = _written(6).tables
    assert {row["zdlb"] for row in tables["jz_zd"]} == {"2", "3"}
    assert [row["zyzd"] for row in tables["jz_zd"]].count("1") == 2
    assert tables["jz_jl"][0]["jssj"] == AT + timedelta(days=6)
    assert len(tables["jz_ss"]) == 1
    assert tables["bl_wd"][0]["wdlx"] == "2"


def test_an_outpatient_has_one_main_diagnosis_and_no_operation() -> None:
    tables = _written(0).tables
    assert {row["zdlb"] for row in tables["jz_zd"]} == {"1"}
    assert [row["zyzd"] for row in tables["jz_zd"]].count("1") == 1
    assert "jz_ss" not in tables
    assert tables["bl_wd"][0]["wdlx"] == "1"


def test_an_unsettled_bill_has_neither_entry_nor_e_bill() -> None:
    tables = _written(0).tables
    assert tables["sf_jsd"][0]["zt"] == visits.UNSETTLED
    assert "sf_szz" not in tables and "sf_dzpj" not in tables
    assert [row["xh"] for row in tables["sf_mx"]] == list(range(1, len(tables["sf_mx"]) + 1))


def test_an_e_bill_derives_from_its_bill() -> None:
    first, again = (visits.e_bill("B1", "P1", Decimal("1.00"), AT) for _ in range(2))
    assert first == again
    other = visits.e_bill("B2", "P1", Decimal("1.00"), AT)
    assert (first["pjhm"], first["hz"]) != (other["pjhm"], other["hz"])
    assert len(first["pjhm"]) == 10 and len(first["hz"]) == 64
