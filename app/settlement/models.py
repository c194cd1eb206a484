from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Checked, Fen
from app.core.machine import Stateful


class Settlement(Stateful, Checked, Base):
    """One bill's way from trial to synchronised.

    `line_no` is the place in the interface's line and stays through every try; `trial_no` is new for each try, because
    each try is a request of its own to the interface; `no` is the settlement's number there and never changes.
    Amounts are those of the last trial: fund + account + self-pay = total. `promised_at` is the time that the patient
    was last promised, `told_later` how often it had to be taken back. `bill_content` is the bill's content as it was
    tried (record.contents). `doubts` counts how often nobody could say whether the insurance had settled;
    `reversal_told` says that the hospital has heard of a reversal, or never of the settlement.
    """

    __tablename__ = "settlement"
    check_over = ("bill_id", "no", "total_fen", "fund_fen", "account_fen", "self_pay_fen", "setl_id")
    __table_args__ = (
        UniqueConstraint("interface_id", "line_no"),
        Index(
            "uq_settlement_live",
            "bill_id",
            unique=True,
            postgresql_where=text("status NOT IN ('failed', 'reversed')"),
        ),
        Index(
            "uq_settlement_place",
            "interface_id",
            "person_id",
            unique=True,
            postgresql_where=text("status IN ('created', 'trial_waiting', 'trialling')"),
        ),
        Index(
            "ix_settlement_line",
            "interface_id",
            "hospital_id",
            "line_no",
            postgresql_where=text("status IN ('trial_waiting', 'trialling')"),
        ),
        CheckConstraint(
            "fund_fen IS NULL OR fund_fen + account_fen + self_pay_fen = total_fen",
            name="adds_up",
        ),
        CheckConstraint(
            "fund_fen >= 0 AND account_fen >= 0 AND self_pay_fen >= 0", name="nobody_pays_less_than_nothing"
        ),
    )

    no: Mapped[str] = mapped_column(unique=True)
    interface_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    line_no: Mapped[int] = mapped_column(BigInteger)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    throttled: Mapped[bool] = mapped_column(default=False)
    trial_no: Mapped[str]
    trial_command_id: Mapped[UUID | None]
    promised_at: Mapped[datetime | None]
    told_later: Mapped[int] = mapped_column(default=0)
    valid_until: Mapped[datetime | None]
    bill_content: Mapped[str | None]
    total_fen: Mapped[Fen]
    fund_fen: Mapped[Fen | None]
    account_fen: Mapped[Fen | None]
    self_pay_fen: Mapped[Fen | None]
    insurance_part: Mapped[str] = mapped_column(default="none")
    self_pay_part: Mapped[str] = mapped_column(default="none")
    setl_id: Mapped[str | None]
    payment_order_id: Mapped[UUID | None]
    paid_at: Mapped[datetime | None]
    hospital_told: Mapped[bool] = mapped_column(default=False)
    network_told: Mapped[bool] = mapped_column(default=False)
    reversal_told: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    doubts: Mapped[int] = mapped_column(default=0)
    refused_code: Mapped[str | None]
    refused_message: Mapped[str | None]


class Ruling(Stateful, Base):
    """What people have found out about a settlement over which the interface gives no usable answer: whether it stands
    there. One person proposes it with the evidence, another confirms it; `setl_id` is the interface's number of what
    stands."""

    __tablename__ = "settlement_ruling"
    __table_args__ = (
        CheckConstraint("outcome IN ('settled', 'not_settled')", name="outcome"),
        CheckConstraint("(outcome = 'settled') = (setl_id IS NOT NULL)", name="setl_id"),
        CheckConstraint("decided_by <> proposed_by OR status = 'declined'", name="two_people"),
        Index("uq_settlement_ruling_open", "settlement_id", unique=True, postgresql_where=text("status = 'proposed'")),
    )

    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("settlement.id"), index=True)
    outcome: Mapped[str]
    setl_id: Mapped[str | None]
    evidence: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
