"""Which number a person has at which hospital, and what the hospital's machine is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, any_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.columns import add_rows
from app.core.db import Ids
from app.core.errors import Invalid
from app.core.pieces import pieces
from app.core.privacy import Privacy
from app.core.work import AuditFact, Work
from app.exchange import service as exchange
from app.exchange.service import Asked
from app.identity.person import pulls
from app.identity.person.models import Binding, PatientNumber
from app.identity.person.pulls import LANE
from app.identity.person.states import BindingState

_TIES_TOGETHER = 500  # in one command
_NUMBERS = cast(Table, PatientNumber.__table__)
# Each key is looked up by its index (OFFSET 0 keeps the look-ups apart), however little the planner knows.
_KNOWN = text("""
    SELECT n.person_id, n.patient_no FROM unnest(CAST(:persons AS uuid[])) AS p(id) CROSS JOIN LATERAL (
        SELECT person_id, patient_no FROM patient_number WHERE hospital_id = :hospital AND person_id = p.id OFFSET 0) n
    UNION SELECT n.person_id, n.patient_no FROM unnest(CAST(:numbers AS text[])) AS p(no) CROSS JOIN LATERAL (
        SELECT person_id, patient_no FROM patient_number WHERE hospital_id = :hospital AND patient_no = p.no OFFSET 0) n
""").bindparams(bindparam("persons", type_=Ids()))

_ACCOUNTS = (
    select(Binding.person_id, Binding.account_id)
    .where(Binding.person_id == any_(bindparam("persons", type_=Ids())))
    .where(Binding.hospital_id == bindparam("hospital"), Binding.status == BindingState.LIVE)
    .order_by(Binding.account_id)
)


def account_ref(privacy: Privacy, account_id: UUID) -> str:
    """The pseudonym under which a hospital's machine keeps an account."""
    return privacy.index(str(account_id), "account_ref")[:32]


def patient_number(session: Session, hospital_id: UUID, person_id: UUID) -> str | None:
    mine = (PatientNumber.hospital_id == hospital_id, PatientNumber.person_id == person_id)
    return session.scalar(select(PatientNumber.patient_no).where(*mine))


def patient_numbers(session: Session, person_id: UUID) -> list[tuple[UUID, str]]:
    """(hospital id, patient number) at every hospital that knows the person."""
    wanted = select(PatientNumber.hospital_id, PatientNumber.patient_no).where(PatientNumber.person_id == person_id)
    return [(row.hospital_id, row.patient_no) for row in session.execute(wanted.order_by(PatientNumber.since))]


def person_of_patient(session: Session, hospital_id: UUID, patient_no: str) -> UUID | None:
    wanted = select(PatientNumber.person_id)
    return session.scalar(
        wanted.where(PatientNumber.hospital_id == hospital_id, PatientNumber.patient_no == patient_no)
    )


def set_patient_number(work: Work, hospital_id: UUID, patient_no: str, person_id: UUID) -> bool:
    """Note the hospital's number of a person; a number that replaces an older one counts from now on. When it is news,
    the hospital's machine is told which accounts act for the patient and, if there are any, asked for the patient's
    records.

    True if it was news. Invalid if the number is another person's."""
    owner = person_of_patient(work.session, hospital_id, patient_no)
    if owner == person_id:
        return False
    if owner is None:
        owner = _store(work, hospital_id, patient_no, person_id)
    if owner != person_id:
        raise Invalid("patient_number_taken", "这个就诊号属于另一位就诊人")
    work.audit("patient_number.set", "person", person_id, hospital=str(hospital_id))
    tie(work, hospital_id, person_id, patient_no, None)
    return True


def set_patient_numbers(work: Work, hospital_id: UUID, numbers: Mapping[UUID, str]) -> set[UUID]:
    """As `set_patient_number`, for many persons of one hospital at once: person -> number. The persons whose number is
    another's, already or among these, in whose order the first has it: for them nothing is noted."""
    wanted = {"hospital": hospital_id, "persons": list(numbers), "numbers": list(numbers.values())}
    known = [(row.person_id, row.patient_no) for row in work.session.execute(_KNOWN, wanted)]
    owners = {patient_no: person_id for person_id, patient_no in known}
    for person_id, patient_no in numbers.items():
        owners.setdefault(patient_no, person_id)
    numbered = {person_id for person_id, _ in known}
    taken = {person_id for person_id, patient_no in numbers.items() if owners[patient_no] != person_id}
    free = {person_id: no for person_id, no in numbers.items() if person_id not in taken}
    for person_id in free.keys() & numbered:
        set_patient_number(work, hospital_id, free[person_id], person_id)
    new = {person_id: no for person_id, no in free.items() if person_id not in numbered}
    bound = _accounts_of(work.session, hospital_id, list(new))
    _tie_all(work, hospital_id, new, bound)
    asked = pulls.ask_all(work, hospital_id, {person: new[person] for person, _ in bound})
    columns = [{"patient_no": no, "person_id": one, **_waits(work, asked.get(one))} for one, no in new.items()]
    add_rows(work.session, _NUMBERS, columns, same={"hospital_id": hospital_id})
    set_now = AuditFact("patient_number.set", "person", list(new), detail={"hospital": str(hospital_id)})
    work.audit_fact(set_now)
    return taken


def _waits(work: Work, pull_id: UUID | None) -> dict[str, Any]:
    return {"pull_id": pull_id, "awaited_since": work.now if pull_id is not None else None}


def _tie_all(work: Work, hospital_id: UUID, numbers: Mapping[UUID, str], bound: Sequence[tuple[UUID, UUID]]) -> None:
    ties = [
        {"account_ref": account_ref(work.privacy, account), "patient_no": numbers[person]} for person, account in bound
    ]
    asked = [Asked(None, {"ties": some}) for some in pieces(ties, _TIES_TOGETHER)]
    exchange.command_all(work, hospital_id, "tie_accounts", asked, lane=LANE)


def tie(work: Work, hospital_id: UUID, person_id: UUID, patient_no: str, account_id: UUID | None) -> None:
    """Tell the hospital's machine that these accounts (all that are bound, or one) act for the patient, and ask it for
    everything of the patient that changed. Where nobody is bound, nothing is asked for."""
    accounts = _bound_accounts(work.session, hospital_id, person_id) if account_id is None else [account_id]
    for one in accounts:
        tell(work, hospital_id, "tie_account", (account_ref(work.privacy, one), patient_no))
    if accounts:
        pulls.ask(work, hospital_id, person_id, patient_no)


def untie(work: Work, hospital_id: UUID, person_id: UUID, account_id: UUID) -> None:
    """The account no longer acts for the person."""
    patient_no = patient_number(work.session, hospital_id, person_id)
    if patient_no is not None:
        tell(work, hospital_id, "untie_account", (account_ref(work.privacy, account_id), patient_no))


def ties(session: Session, privacy: Privacy, hospital_id: UUID) -> dict[tuple[str, str], UUID]:
    """(account_ref, patient number) as the hospital's machine should have them, each with our binding."""
    known = (PatientNumber.person_id == Binding.person_id) & (PatientNumber.hospital_id == Binding.hospital_id)
    wanted = select(Binding.id, Binding.account_id, PatientNumber.patient_no).join(PatientNumber, known)
    live = wanted.where(Binding.hospital_id == hospital_id, Binding.status == BindingState.LIVE)
    return {(account_ref(privacy, row.account_id), row.patient_no): row.id for row in session.execute(live)}


def binding_of_tie(session: Session, privacy: Privacy, hospital_id: UUID, tie: tuple[str, str]) -> UUID | None:
    """Our live binding that one tie on the hospital's machine stands for."""
    person_id = person_of_patient(session, hospital_id, tie[1])
    mine = (Binding.person_id == person_id, Binding.hospital_id == hospital_id, Binding.status == BindingState.LIVE)
    found = session.execute(select(Binding.id, Binding.account_id).where(*mine)).all()
    return next((row.id for row in found if account_ref(privacy, row.account_id) == tie[0]), None)


def tell(work: Work, hospital_id: UUID, kind: str, tie: tuple[str, str]) -> None:
    """`tie_account` or `untie_account` for the hospital's machine."""
    body = {"account_ref": tie[0], "patient_no": tie[1]}
    exchange.command(work, hospital_id, kind, body, lane=LANE, subject=None)


def _store(work: Work, hospital_id: UUID, patient_no: str, person_id: UUID) -> UUID | None:
    """Insert, or replace the person's older number at this hospital; whose the number is afterwards."""
    mine = (PatientNumber.hospital_id == hospital_id, PatientNumber.person_id == person_id)
    newer = update(PatientNumber).where(*mine).values(patient_no=patient_no, since=work.now)
    if work.session.scalar(newer.returning(PatientNumber.person_id)) is not None:
        return person_id
    row = {"hospital_id": hospital_id, "patient_no": patient_no, "person_id": person_id}
    work.session.execute(insert(PatientNumber).values(row).on_conflict_do_nothing())
    return person_of_patient(work.session, hospital_id, patient_no)


def _bound_accounts(session: Session, hospital_id: UUID, person_id: UUID) -> list[UUID]:
    return [account for _, account in _accounts_of(session, hospital_id, [person_id])]


def _accounts_of(session: Session, hospital_id: UUID, person_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """(person, account) of every live binding at this hospital."""
    found = session.execute(_ACCOUNTS, {"persons": list(person_ids), "hospital": hospital_id})
    return [(person, account) for person, account in found if person is not None]
