"""Commands: what an agent shall do. Written with the data that needs them, fetched and answered one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, cast
from uuid import UUID

from sqlalchemy import Table, func, or_, select, update
from sqlalchemy.orm import Session
from typing_extensions import Unpack

from app.core.columns import add_rows
from app.core.ids import new_id
from app.core.work import Work
from app.exchange import wake
from app.exchange.contracts import AnswerIn
from app.exchange.models import Command, CommandReply
from app.exchange.states import CommandState, commands

# An answer that was sent in time may still be on its way.
OVERDUE_GRACE_S = 1.0
OVERDUE_BATCH = 1000
_REPLIES = cast(Table, CommandReply.__table__)
UNANSWERED = (CommandState.OPEN, CommandState.FETCHED)
# What counts also when it comes after the deadline.
LAST_WORDS = ("done", "refused")


class Terms(TypedDict):
    """How commands are to be handed out.

    `lane` is the sequence they stand in. With `once` each is handed out at most one time and needs a `deadline`; past
    its deadline a command is not handed out and is answered `unknown`; one that was handed out before is waited for
    until `answer_by`, where that is given. A `done` or `refused` that comes later counts all the same, as a second
    answer, unless it is a command of `once`.
    """

    lane: str
    once: NotRequired[bool]
    deadline: NotRequired[datetime | None]
    answer_by: NotRequired[datetime | None]


@dataclass(frozen=True)
class CommandAnswer:
    """`outcome`: done, refused (final), failed (ask again), unknown (look before asking again). `partner_id` is the
    program that answered, None where the time did."""

    command_id: UUID
    party_id: UUID
    partner_id: UUID | None
    kind: str
    subject: UUID | None
    outcome: str
    code: str | None
    message: str | None
    body: dict[str, Any]
    answered_at: datetime  # the database's clock


@dataclass(frozen=True)
class Asked:
    """What one command is about (a row of ours), and its body."""

    subject: UUID | None
    body: dict[str, Any]


def command(
    work: Work, party_id: UUID, kind: str, body: dict[str, Any], *, subject: UUID | None, **terms: Unpack[Terms]
) -> UUID:
    """Write down a command for the party's agent, which is woken by the commit. Its answer comes as the event
    `exchange.answered.<kind>` with the command's id as subject."""
    return command_all(work, party_id, kind, [Asked(subject, body)], **terms)[0]


def command_all(work: Work, party_id: UUID, kind: str, asked: Sequence[Asked], **terms: Unpack[Terms]) -> list[UUID]:
    """As `command`, for many of one kind at once; their ids, in the order in which they will be handed out."""
    _require_follower(work, kind)
    ids = [new_id() for _ in asked]
    rows = [
        {
            "id": command_id,
            "subject": one.subject,
            "body_sealed": work.privacy.seal_json(one.body, body_place(command_id)),
        }
        for command_id, one in zip(ids, asked, strict=True)
    ]
    known = {"once": False, "deadline": None, "answer_by": None, **terms}
    commands.start_many(work, rows, CommandState.OPEN, same={"party_id": party_id, "kind": kind, **known})
    if rows:
        wake.party(work, party_id, lane=terms["lane"])
    return ids


def _require_follower(work: Work, kind: str) -> None:
    if f"exchange.answered.{kind}" not in work.runtime.routes:
        raise ValueError(f"nobody follows the answers of {kind}")


def withdraw(work: Work, command_id: UUID) -> bool:
    """Take a command back; False if it has been answered or is overdue. What its agent still answers is ignored."""
    return bool(commands.move(work, [command_id], "withdraw", lenient=True))


def take_answers(work: Work, partner_id: UUID, party_id: UUID, answers: Sequence[AnswerIn]) -> list[UUID]:
    """Keep the first answer to each command of this party that was handed out; the ids that were taken."""
    given: dict[UUID, AnswerIn] = {}
    for one in answers:
        given.setdefault(one.id, one)
    mine = work.session.execute(
        select(Command.id, Command.kind, Command.once).where(Command.id.in_(given), Command.party_id == party_id)
    ).all()
    kinds = {row.id: row.kind for row in mine}
    if not kinds:
        return []
    taken = {moved.id for moved in commands.move(work, kinds, "answer", lenient=True)}
    left = [row.id for row in mine if row.id not in taken and not row.once and given[row.id].outcome in LAST_WORDS]
    if left:
        taken |= {moved.id for moved in commands.move(work, left, "answer_late", lenient=True)}
    add_rows(work.session, _REPLIES, [_reply(work, partner_id, given[command_id]) for command_id in taken])
    for command_id in taken:
        work.emit(f"exchange.answered.{kinds[command_id]}", command_id)
    wake.party(work, party_id)  # a lane that was full has room again
    return [answer_id for answer_id in given if answer_id in taken]


def expire(work: Work) -> int:
    """Answer with `unknown` what is past its deadline; how many that were."""
    late = func.clock_timestamp() - timedelta(seconds=OVERDUE_GRACE_S)
    ids = work.session.execute(
        select(Command.id, Command.kind)
        .where(Command.status.in_(UNANSWERED), Command.deadline < late)
        .where(or_(Command.status == CommandState.OPEN, func.coalesce(Command.answer_by, Command.deadline) < late))
        .order_by(Command.id)
        .limit(OVERDUE_BATCH)
        .with_for_update(skip_locked=True)
    )
    kinds = {row.id: row.kind for row in ids}
    if not kinds:
        return 0
    moved = commands.move(work, kinds, "expire", lenient=True)
    for one in moved:
        work.emit(f"exchange.answered.{kinds[one.id]}", one.id)
    return len(moved)


def shift_deadlines(session: Session, party_id: UUID, lane: str, step: timedelta) -> None:
    """The database's clock has stepped: what had so long left still has."""
    unanswered = (Command.party_id == party_id, Command.lane == lane, Command.status.in_(UNANSWERED))
    values = {"deadline": Command.deadline + step, "answer_by": Command.answer_by + step}
    later = update(Command).where(*unanswered, Command.deadline.is_not(None)).values(values)
    session.execute(later.execution_options(synchronize_session=False))


def asked_bodies(work: Work, command_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What was asked with these commands, by the row of ours that each is about: to ask the same again."""
    rows = work.session.execute(
        select(Command.id, Command.subject, Command.kind, Command.body_sealed).where(Command.id.in_(command_ids))
    )
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        work.audit("read.command.body_sealed", "command", row.id, why=row.kind)
        found[row.subject] = work.privacy.open_json(row.body_sealed, body_place(row.id))
    return found


def answer(work: Work, command_id: UUID) -> CommandAnswer:
    return answers(work, [command_id])[0]


def answers(work: Work, command_ids: Sequence[UUID]) -> list[CommandAnswer]:
    """What became of these commands, in the order asked; the reading is audited. ValueError for one without an end."""
    rows = work.session.execute(
        select(Command, CommandReply)
        .outerjoin(CommandReply, CommandReply.id == Command.id)
        .where(Command.id.in_(command_ids), or_(CommandReply.id.is_not(None), Command.status == CommandState.OVERDUE))
    )
    found = {row.id: _answer(work, row, reply) for row, reply in rows}
    if missing := set(command_ids) - set(found):
        raise ValueError(f"{len(missing)} commands have no answer")
    return [found[command_id] for command_id in command_ids]


def _answer(work: Work, row: Command, reply: CommandReply | None) -> CommandAnswer:
    if reply is None:
        # What nobody fetched was certainly not done.
        code = "not_handed_out" if row.handed_at is None else "overdue"
        return CommandAnswer(
            row.id, row.party_id, None, row.kind, row.subject, "unknown", code, None, {}, row.status_since
        )
    work.audit("read.command_reply.reply_sealed", "command", row.id, why=row.kind)
    said = work.privacy.open_json(reply.reply_sealed, _reply_place(row.id))
    return CommandAnswer(
        row.id,
        row.party_id,
        reply.partner_id,
        row.kind,
        row.subject,
        reply.outcome,
        reply.code,
        said["message"],
        said["body"],
        reply.answered_at,
    )


def _reply(work: Work, partner_id: UUID, given: AnswerIn) -> dict[str, Any]:
    said = {"message": given.message, "body": given.body}
    return {
        "id": given.id,
        "partner_id": partner_id,
        "outcome": given.outcome,
        "code": given.code,
        "reply_sealed": work.privacy.seal_json(said, _reply_place(given.id)),
    }


def body_place(command_id: UUID) -> str:
    return f"command:body_sealed:{command_id}"


def _reply_place(command_id: UUID) -> str:
    return f"command_reply:reply_sealed:{command_id}"
