"""Who is connected, what they sent us, and what waits for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed
from app.core.machine import Stateful

WAITING = "status IN ('open', 'fetched')"


class Party(Row, Base):
    """A hospital, an insurer, the medical insurance, a bank. `config` holds what is no secret: url, n, window_s …"""

    __tablename__ = "party"
    __table_args__ = (CheckConstraint("kind IN ('hospital', 'insurer', 'medical_insurance', 'bank')", name="kind"),)

    kind: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Sign what we send to them: the newer one, and while it is being changed the one before.
    outbound_secret_sealed: Mapped[Sealed | None]
    # An insurer's public key (JWK), to which claim packages are encrypted.
    package_key: Mapped[dict[str, Any] | None]
    outbound_older_sealed: Mapped[Sealed | None]


class Partner(Row, Base):
    """One program of a party that calls us. `acked_cursor` is how far it has read its party's change feed; `bad_rows`
    how many rows it says that it holds back since they cannot be sent, or were refused and are not mended."""

    __tablename__ = "partner"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    program: Mapped[str]
    acked_cursor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    bad_rows: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class PartnerKey(Row, Base):
    """What shows that a partner signed: a secret that both know, or the public half of an Ed25519 pair (`whpk_…`). Two
    may live at once, so that a key is changed without a pause."""

    __tablename__ = "partner_key"
    __table_args__ = (
        Index("uq_partner_key_live", "partner_id", "place", unique=True, postgresql_where=text("retired_at IS NULL")),
        CheckConstraint("place IN (1, 2)", name="place"),
        CheckConstraint("(secret_sealed IS NULL) <> (public_key IS NULL)", name="one_kind"),
    )

    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    place: Mapped[int]
    secret_sealed: Mapped[Sealed | None]
    public_key: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    retired_at: Mapped[datetime | None]


class InboxMessage(Base):
    """A message of a partner that had an effect, with the answer it got: the same again has none."""

    __tablename__ = "inbox_message"

    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any] | None]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


class Batch(Stateful, Base):
    """Rows that a partner pushed, sealed as they came, compressed. `verdicts` names every row once they are judged: a
    list of [type, verdict, reason, keys], one for each run of rows with the same verdict, in the order of the rows."""

    __tablename__ = "batch"
    __table_args__ = (
        UniqueConstraint("partner_id", "batch_no", name="uq_batch_number"),
        Index("ix_batch_day", "party_id", "business_date", "kind"),
        CheckConstraint("kind IN ('catalogue', 'record', 'ledger')", name="kind"),
    )

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    batch_no: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    business_date: Mapped[date]
    count: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    rows_sealed: Mapped[Sealed] = mapped_column(deferred=True)
    verdicts: Mapped[list[Any] | None] = mapped_column(deferred=True)
    # How many rows got which verdict.
    tally: Mapped[dict[str, Any] | None]


class RefusedRow(Base):
    """A row of a batch that was refused. `mended_by` is the later batch in which a row of its key was applied."""

    __tablename__ = "refused_row"
    __table_args__ = (
        Index("ix_refused_row_open", "party_id", "type", "key", postgresql_where=text("mended_by IS NULL")),
        Index("ix_refused_row_mended", "party_id", postgresql_where=text("mended_by IS NOT NULL")),
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    mended_by: Mapped[UUID | None] = mapped_column(ForeignKey("batch.id"))


class Lane(Base):
    """One sequence of commands for one party. Whoever hands out of it holds its row, for milliseconds."""

    __tablename__ = "lane"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    last_seq: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class Command(Stateful, Base):
    """Something a partner's agent shall do. `seq` is its place in the lane, given when it is first handed out: a
    transaction that commits late cannot slip in front of what was handed out before."""

    __tablename__ = "command"
    __table_args__ = (
        Index("ix_command_waiting", "party_id", "lane", "seq", "number", postgresql_where=text(WAITING)),
        Index("ix_command_deadline", "deadline", postgresql_where=text(f"{WAITING} AND deadline IS NOT NULL")),
        Index("ix_command_subject", "subject", postgresql_where=text("subject IS NOT NULL")),
        Index("uq_command_seq", "party_id", "lane", "seq", unique=True, postgresql_where=text("seq IS NOT NULL")),
        CheckConstraint("NOT once OR deadline IS NOT NULL", name="once_needs_deadline"),
        CheckConstraint("answer_by IS NULL OR answer_by >= deadline", name="answer_by_after_deadline"),
    )

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    kind: Mapped[str]
    lane: Mapped[str]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[UUID | None]
    body_sealed: Mapped[Sealed]
    once: Mapped[bool]
    deadline: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    handed_at: Mapped[datetime | None]


class CommandReply(Row, Base):
    """What a partner answered: a row exists for `answered` commands only, under the command's id. What the partner said
    stands sealed in `reply_sealed` as {"message", "body"}."""

    __tablename__ = "command_reply"
    __table_args__ = (CheckConstraint("outcome IN ('done', 'refused', 'failed', 'unknown')", name="outcome"),)

    id: Mapped[UUID] = mapped_column(ForeignKey("command.id"), primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    outcome: Mapped[str]
    code: Mapped[str | None]
    reply_sealed: Mapped[Sealed]
    answered_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Message(Row, Base):
    """Something a partner told us."""

    __tablename__ = "message"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    type: Mapped[str]
    data_sealed: Mapped[Sealed]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Change(Row, Base):
    """Something a party may read. `cursor` is given when it is first read, for the reason of `Command.seq`."""

    __tablename__ = "change"
    __table_args__ = (
        UniqueConstraint("party_id", "cursor", name="uq_change_cursor"),
        Index("ix_change_new", "party_id", "number", postgresql_where=text("cursor IS NULL")),
    )

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    cursor: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[str]
    data_sealed: Mapped[Sealed]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Push(Base):
    """How far a party's feed was sent to it. `busy_until` is set while a worker sends the next change."""

    __tablename__ = "push"

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    cursor: Mapped[int] = mapped_column(BigInteger)
    busy_until: Mapped[datetime | None]


class DataRequest(Stateful, Base):
    """An insurer asks for a hospital's data. `cursor` numbers the ended ones, answered or overdue, for that insurer."""

    __tablename__ = "data_request"
    __table_args__ = (
        UniqueConstraint("party_id", "request_no", name="uq_data_request_number"),
        UniqueConstraint("party_id", "cursor", name="uq_data_request_cursor"),
        Index("ix_data_request_deadline", "deadline", postgresql_where=text(WAITING)),
        CheckConstraint("outcome IN ('done', 'refused', 'failed', 'unknown')", name="outcome"),
    )

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    request_no: Mapped[str]
    kind: Mapped[str]
    data_sealed: Mapped[Sealed]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    deadline: Mapped[datetime]
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    cursor: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None]
    code: Mapped[str | None]
    answer_sealed: Mapped[Sealed | None]
