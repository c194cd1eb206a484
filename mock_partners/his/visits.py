"""One visit to the built-in hospital as rows: visit, diagnoses, operation, reports, record, bill, fee lines, e-bill.

Used for the earlier visits by the generator and for the visit of the day by the double.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from mock_partners.his import catalogue, fees
from mock_partners.his.chart import Chart
from mock_partners.his.fees import Line, Shares
from mock_partners.his.numbers import digest, digits

OUTPATIENT, INPATIENT = "1", "2"
UNSETTLED, SETTLED = "0", "1"
DEPARTMENTS = {department.code: department for department in catalogue.DEPARTMENTS}


@dataclass(frozen=True)
class Encounter:
    """Who was where and when; times are naive and local."""

    visit_no: str
    bill_no: str
    patient_no: str
    department: str
    doctor: str
    started_at: datetime
    inpatient_days: int = 0
    appointment_no: str | None = None

    @property
    def kind(self) -> str:
        return INPATIENT if self.inpatient_days else OUTPATIENT

    @property
    def ended_at(self) -> datetime:
        return self.started_at + (timedelta(days=self.inpatient_days) or timedelta(minutes=25))


def write_visit(chart: Chart, encounter: Encounter, rng: random.Random, lines: Sequence[Line]) -> None:
    """The clinical half: visit, diagnoses, operation, reports of what the lines examined, and the record."""
    ids = {"jzlsh": encounter.visit_no, "brid": encounter.patient_no}
    chart.add(
        "jz_jl",
        **ids,
        jzlx=encounter.kind,
        ksid=encounter.department,
        ysid=encounter.doctor,
        kssj=encounter.started_at,
        jssj=encounter.ended_at,
        yyh=encounter.appointment_no,
    )
    department = DEPARTMENTS[encounter.department]
    diagnoses = rng.sample(department.diagnoses, rng.randint(1, len(department.diagnoses)))
    stages = ("2", "3") if encounter.inpatient_days else ("1",)
    for number, (stage, place) in enumerate([(s, p) for s in stages for p in range(len(diagnoses))], 1):
        code, name = diagnoses[place]
        chart.add("jz_zd", **ids, xh=number, zdbm=code, zdmc=name, zyzd="1" if place == 0 else "0", zdlb=stage)
    _write_operation(chart, encounter, rng, ids)
    _write_reports(chart, encounter, rng, lines, ids)
    _write_record(chart, encounter, diagnoses[0][1], ids)


def _write_operation(chart: Chart, encounter: Encounter, rng: random.Random, ids: dict[str, Any]) -> None:
    operations = catalogue.OPERATIONS.get(encounter.department, ())
    if encounter.inpatient_days and operations:
        code, name = rng.choice(operations)
        chart.add("jz_ss", **ids, xh=1, ssbm=code, ssmc=name, sssj=encounter.started_at + timedelta(days=1, hours=1))


def _write_reports(
    chart: Chart, encounter: Encounter, rng: random.Random, lines: Sequence[Line], ids: dict[str, Any]
) -> None:
    examined = [line.item.code for line in lines if line.item.code in catalogue.REPORTS]
    for number, code in enumerate(dict.fromkeys(examined), 1):
        kind, title, text = catalogue.REPORTS[code]
        chart.add(
            "jc_bg",
            bgid=f"{encounter.visit_no}-{number}",
            **ids,
            bglx=kind,
            bt=title,
            jg=text.format(rng.randint(3, 9), rng.randint(0, 9), rng.randint(50, 89)),
            bgsj=encounter.started_at + timedelta(minutes=20),
        )


def _write_record(chart: Chart, encounter: Encounter, diagnosis: str, ids: dict[str, Any]) -> None:
    if encounter.inpatient_days:
        kind, title = "2", "出院小结"
        text = f"因“{diagnosis}”入院，住院 {encounter.inpatient_days} 天，经治疗好转出院，嘱门诊随诊。"
    else:
        kind, title = "1", "门诊病历"
        text = f"主诉：不适数日。初步诊断：{diagnosis}。处理：完善检查，对症用药，一周后复诊。"
    chart.add("bl_wd", wdid=f"{encounter.visit_no}-W", **ids, wdlx=kind, bt=title, zw=text)


def write_unsettled_bill(chart: Chart, encounter: Encounter, lines: Sequence[Line]) -> None:
    """The visit of the day: a bill that waits for its trial."""
    chart.add(
        "sf_jsd",
        jsdh=encounter.bill_no,
        jzlsh=encounter.visit_no,
        brid=encounter.patient_no,
        zje=fees.total(lines),
        zt=UNSETTLED,
        zdrq=encounter.ended_at.date(),
        jssj=None,
    )
    _write_lines(chart, encounter, lines)


def write_settled_bill(
    chart: Chart, encounter: Encounter, lines: Sequence[Line], shares: Shares, *, off_by: Decimal = Decimal(0)
) -> None:
    """An earlier, settled bill with the cashier's entry and the e-bill; `off_by` yuan too much on the fund's side."""
    chart.add(
        "sf_jsd",
        jsdh=encounter.bill_no,
        jzlsh=encounter.visit_no,
        brid=encounter.patient_no,
        zje=shares.total,
        tczf=shares.fund + off_by,
        zhzf=shares.account,
        grzf=shares.self_pay,
        zt=SETTLED,
        zdrq=encounter.ended_at.date(),
        jssj=encounter.ended_at,
    )
    _write_lines(chart, encounter, lines)
    chart.add(
        "sf_szz",
        jsdh=encounter.bill_no,
        brid=encounter.patient_no,
        grzf=shares.borne,
        zt="1",
        jzsj=encounter.ended_at,
    )
    chart.add("sf_dzpj", **e_bill(encounter.bill_no, encounter.patient_no, shares.total, encounter.ended_at))


def _write_lines(chart: Chart, encounter: Encounter, lines: Sequence[Line]) -> None:
    for number, line in enumerate(lines, 1):
        chart.add(
            "sf_mx",
            jsdh=encounter.bill_no,
            xh=number,
            brid=encounter.patient_no,
            xmbm=line.item.code,
            dj=line.item.price,
            sl=line.quantity,
            je=line.amount,
            fyrq=encounter.started_at + timedelta(minutes=5),
        )


def e_bill(bill_no: str, patient_no: str, total: Decimal, issued_at: datetime) -> dict[str, Any]:
    """The e-bill platform's row for a settled bill; numbers derive from the bill's."""
    content = digest("e-bill", bill_no, total, issued_at.date())
    return {
        "pjid": f"P{bill_no}",
        "jsdh": bill_no,
        "brid": patient_no,
        "pjdm": "00010125",
        "pjhm": digits(10, "e-bill number", bill_no),
        "jym": content[:6],
        "kjrq": issued_at.date(),
        "zt": "1",
        "hz": content,
    }
