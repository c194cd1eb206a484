"""What the hospital's desk needs of an HIS, whatever its tables look like, and the connection to it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

SHANGHAI = ZoneInfo("Asia/Shanghai")
Db = psycopg.Connection[dict[str, Any]]


class Refused(Exception):
    """The hospital says no: a stable code, a Chinese message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 409) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Known:
    """A person in the HIS. `phones`: the person's own and the guardian's."""

    patient_no: str
    name: str
    phones: frozenset[str]
    alive: bool = True
    medical_card_no: str | None = None


@dataclass(frozen=True)
class Bill:
    """A bill in the HIS; status unsettled, settled or refunded."""

    bill_key: str
    patient_no: str
    total_fen: int
    status: str


@dataclass(frozen=True)
class Attendance:
    """Somebody came: to a booked slot, or to the counter (department and doctor are then the hospital's choice)."""

    patient_no: str
    at: datetime
    seed: str
    appointment_no: str | None = None
    department: str | None = None
    doctor: str | None = None

    @property
    def local(self) -> datetime:
        """The time as the hospital's own tables write it: naive, Asia/Shanghai."""
        return self.at.astimezone(SHANGHAI).replace(tzinfo=None)


@dataclass(frozen=True)
class Payment:
    """How a bill was settled, in fen."""

    fund_fen: int
    account_fen: int
    self_pay_fen: int
    paid_at: datetime

    @property
    def total_fen(self) -> int:
        return self.fund_fen + self.account_fen + self.self_pay_fen


class Records(ABC):
    """One hospital's HIS tables through one connection, used by one thread at a time in order of arrival."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._lock = threading.Lock()
        self._db: Db | None = None

    @contextmanager
    def transaction(self) -> Iterator[Db]:
        """One transaction; a connection that was lost is made anew."""
        with self._lock:
            if self._db is None or self._db.closed:
                self._db = psycopg.connect(self._url, row_factory=dict_row, autocommit=True)
            with self._db.transaction():
                yield self._db

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()

    @abstractmethod
    def find(self, db: Db, document_no: str) -> Known | None:
        """The person with this identity document."""

    @abstractmethod
    def create(self, db: Db, application: Mapping[str, Any]) -> str:
        """Make a new patient of a registration's body; returns the patient number."""

    @abstractmethod
    def visits_on(self, db: Db, patient_no: str, day: date) -> int:
        """How many visits the patient made on a local day."""

    @abstractmethod
    def open_visit(self, db: Db, attendance: Attendance) -> dict[str, Any]:
        """Write a visit with an unsettled bill; returns visit_key, bill_key, total_fen."""

    @abstractmethod
    def bill(self, db: Db, bill_key: str) -> Bill | None:
        """The bill, locked against a second settlement at the same time."""

    @abstractmethod
    def mark_settled(self, db: Db, bill: Bill, payment: Payment) -> None:
        """Book a payment onto an unsettled bill."""

    @abstractmethod
    def mark_refunded(self, db: Db, bill: Bill) -> None:
        """The bill was paid back."""
