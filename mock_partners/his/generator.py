"""The built-in filling: deterministic people, departments, slots and earlier visits of Chinese hospitals."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from mock_partners.his import catalogue, fees, visits
from mock_partners.his.chart import Chart
from mock_partners.his.numbers import to_fen
from mock_partners.his.people import CYCLE, EarlierBill, Person, age_on, invent
from mock_partners.his.visits import Encounter

COSTLY, UNBALANCED, SEVERAL_BILLS = {1, 10}, {6, 15}, {5}
"""Places in the cycle of people with an inpatient bill above 10,000 yuan, one that does not balance, three bills."""
SLOT_TIMES = ("08:00", "09:00", "10:00", "11:00", "14:00", "15:00", "16:00", "17:00")
DOCTORS_PER_DEPARTMENT = 2
SLOT_DAYS = 2


def people(seed: int, patients: int, business_date: date, hospitals: Sequence[str]) -> list[Person]:
    """The people of the built-in filling, spread evenly over the hospitals."""
    return [invent(seed, i, hospitals[i % len(hospitals)], business_date) for i in range(patients)]


def hospital_chart(seed: int, hospital: str, mine: Sequence[Person], business_date: date) -> Chart:
    """All rows of one hospital. Fills in `visits` and `bills` of the people on the way."""
    chart = Chart()
    rng = random.Random(f"{seed}:hospital:{hospital}")
    doctors = _write_catalogue(chart, rng)
    _write_slots(chart, rng, doctors, len(mine), business_date)
    for person in mine:
        _write_person(chart, person)
    for person in mine:
        _write_history(chart, seed, person, doctors, business_date)
    return chart


def _write_catalogue(chart: Chart, rng: random.Random) -> dict[str, list[str]]:
    doctors: dict[str, list[str]] = {}
    for department in catalogue.DEPARTMENTS:
        campus = catalogue.CAMPUSES[department.campus]
        chart.add("sys_ks", ksid=department.code, ksmc=department.name, yqmc=campus)
    for department in catalogue.DEPARTMENTS:
        for number in range(DOCTORS_PER_DEPARTMENT):
            doctor = f"{department.code}{number + 1:02d}"
            name = rng.choice(catalogue.SURNAMES) + rng.choice(catalogue.GIVEN[rng.choice(("male", "female"))])
            chart.add("sys_ys", ysid=doctor, ysxm=name, zc=catalogue.TITLES[number], ksid=department.code)
            doctors.setdefault(department.code, []).append(doctor)
    for item in catalogue.ITEMS:
        chart.add(
            "dict_sfxm",
            xmbm=item.code,
            xmmc=item.name,
            xmlb=item.category,
            ybbm=item.insurance_code,
            yblb=item.insurance_class,
            dj=item.price,
        )
    return doctors


def _write_slots(
    chart: Chart, rng: random.Random, doctors: dict[str, list[str]], patients: int, business_date: date
) -> None:
    everyone = [(department, doctor) for department, group in doctors.items() for doctor in group]
    stopped = rng.choice(everyone)[1]
    capacity = max(4, -(-2 * patients // (len(everyone) * len(SLOT_TIMES))) * 2)
    for day in (business_date + timedelta(days=n) for n in range(SLOT_DAYS)):
        for department, doctor in everyone:
            for hour in SLOT_TIMES:
                start = datetime.combine(day, time.fromisoformat(hour))
                write_slot(chart, (department, doctor), start, capacity, doctor == stopped and hour == SLOT_TIMES[-1])


def write_slot(chart: Chart, where: tuple[str, str], start: datetime, capacity: int, stopped: bool) -> None:
    """A slot of (department, doctor): an hour long; chief physicians (code ending in 01) cost 50 yuan, others 0."""
    department, doctor = where
    chart.add(
        "gh_hy",
        hyid=f"{doctor}-{start:%Y%m%d%H%M}",
        ysid=doctor,
        ksid=department,
        kssj=start,
        jssj=start + timedelta(hours=1),
        xhs=capacity,
        ghf=Decimal(50 if doctor.endswith("01") else 0),
        zt="0" if stopped else "1",
    )


def _write_person(chart: Chart, person: Person) -> None:
    guardian = person.guardian
    chart.add(
        "br_jbxx",
        brid=person.patient_no,
        xm=person.name,
        xb="1" if person.sex == "male" else "2",
        csrq=person.birth_date,
        zjhm=person.document_no,
        sjh=person.phone,
        ybkh=person.medical_card_no,
        jhrxm=guardian.name if guardian else None,
        jhrzjhm=guardian.document_no if guardian else None,
        jhrsjh=guardian.phone if guardian else None,
    )


def _write_history(chart: Chart, seed: int, person: Person, doctors: dict[str, list[str]], business_date: date) -> None:
    rng = random.Random(f"{seed}:history:{person.patient_no}")
    place = (int(person.patient_no) - 1) % CYCLE
    least = 3 if place in SEVERAL_BILLS else 2 if place in COSTLY | UNBALANCED else 1
    count = rng.randint(least, 3)
    oldest = min(320, (business_date - person.birth_date).days - 30)
    days_ago = sorted(rng.sample(range(15, oldest, 3), count), reverse=True)
    for number, ago in enumerate(days_ago):
        costly = place in COSTLY and number == 0
        off_by = Decimal("12.34") if place in UNBALANCED and number == 0 else Decimal(0)
        day = business_date - timedelta(days=ago)
        encounter = _encounter(rng, person, doctors, day, costly or rng.random() < 0.12)
        person.bills.append(_write_earlier(chart, rng, encounter, costly, off_by))
    person.visits = count


def _encounter(
    rng: random.Random, person: Person, doctors: dict[str, list[str]], day: date, inpatient: bool
) -> Encounter:
    if age_on(person.birth_date, day) < 14:
        department = catalogue.PAEDIATRICS
    else:
        open_to_adults = [code for code in doctors if code != catalogue.PAEDIATRICS]
        department = rng.choice(sorted(catalogue.OPERATIONS)) if inpatient else rng.choice(open_to_adults)
    inpatient = inpatient and department in catalogue.OPERATIONS
    tail = f"{day:%Y%m%d}{person.patient_no[-5:]}"
    return Encounter(
        visit_no=("ZY" if inpatient else "MZ") + tail,
        bill_no="JS" + tail,
        patient_no=person.patient_no,
        department=department,
        doctor=rng.choice(doctors[department]),
        started_at=datetime.combine(day, time(rng.randint(8, 15), rng.randint(0, 59))),
        inpatient_days=rng.randint(4, 9) if inpatient else 0,
    )


def _write_earlier(
    chart: Chart, rng: random.Random, encounter: Encounter, costly: bool, off_by: Decimal
) -> EarlierBill:
    if encounter.inpatient_days:
        lines = fees.inpatient(rng, encounter.inpatient_days, implant=costly)
    else:
        lines = fees.outpatient(rng, returned=rng.random() < 0.2)
    shares = fees.split(lines, Decimal(rng.randint(0, 40_000)).scaleb(-2))
    visits.write_visit(chart, encounter, rng, lines)
    visits.write_settled_bill(chart, encounter, lines, shares, off_by=off_by)
    return EarlierBill(
        bill_key=encounter.bill_no,
        billed_on=encounter.ended_at.date(),
        total_fen=to_fen(shares.total),
        borne_fen=to_fen(shares.total - shares.fund - off_by),
        balanced=off_by == 0,
    )
