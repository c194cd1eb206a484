"""The work list on the command line: `reconcile differences list` (show, assign, resolve, decline) and `export`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.paging import PageQuery
from app.core.work import Actor, Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.reconciliation import contracts, queries, rules, service, views
from app.reconciliation.export import MEDIA_TYPES, export
from app.reconciliation.models import Difference
from app.reconciliation.states import DifferenceState
from app.web.site import runtime

_ROLE = "finance"
_OPERATOR = click.option("--operator", "login", required=True, help="Login of the finance operator who does this.")
_IDS = click.argument("ids", nargs=-1, required=True, type=click.UUID)


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    """The options by which differences are chosen."""
    for option in (
        click.option("--insurer", help="Code of an insurer."),
        click.option("--hospital", help="Code of a hospital."),
        click.option("--kind", type=click.Choice(list(rules.KINDS)), help="What does not agree."),
        click.option("--status", type=click.Choice([state.value for state in DifferenceState]), help="How far it is."),
        click.option("--date", "at", type=click.DateTime(["%Y-%m-%d"]), help="Business date."),
    ):
        command = option(command)
    return command


@click.group()
def differences() -> None:
    """What does not agree, and who does what about it."""


@differences.command("list")
@_filtered
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@with_appcontext
def list_them(limit: int, **chosen: Any) -> None:
    """The newest ones, one a line."""
    with runtime().read() as session:
        rows, _ = queries.differences_page(session, _filters(session, **chosen), None, PageQuery(limit=limit))
        for row in views.differences(session, rows, _today()):
            about = row.clearing_no or row.key
            click.echo(
                f"{row.id} {row.business_date} {row.kind} {about} {row.status} {row.age_days}d"
                f" {row.cause_text} → {row.responsible}: {row.suggested_step}"
            )


@differences.command("show")
@click.argument("difference_id", type=click.UUID)
@with_appcontext
def show(difference_id: UUID) -> None:
    """One with its history, as JSON."""
    with runtime().read() as session:
        row = queries.difference(session, difference_id)
        if row is None:
            raise click.ClickException("no such difference: `reconcile differences list` shows them")
        shown = views.detail(session, row, _today()).model_dump(mode="json")
    click.echo(json.dumps(shown, ensure_ascii=False, indent=1))


@differences.command("assign")
@_OPERATOR
@_IDS
@with_appcontext
def assign(login: str, ids: tuple[UUID, ...]) -> None:
    """The operator takes them on."""
    _do(login, lambda work, operator: [service.assign(work, operator, one) for one in ids])


@differences.command("resolve")
@_OPERATOR
@click.option("--reason", required=True, help="Why they are settled, 2 to 500 characters.")
@_IDS
@with_appcontext
def resolve(login: str, reason: str, ids: tuple[UUID, ...]) -> None:
    """Close them with one reason, all or none, at most 100; of money a second operator has to do the same."""
    if not 2 <= len(reason.strip()) <= 500:
        raise click.UsageError("the reason has 2 to 500 characters")
    if len(ids) > contracts.MOST_AT_ONCE:
        raise click.UsageError(f"at most {contracts.MOST_AT_ONCE} at once")
    _do(login, lambda work, operator: service.resolve(work, operator, ids, reason.strip()))


@differences.command("decline")
@_OPERATOR
@_IDS
@with_appcontext
def decline(login: str, ids: tuple[UUID, ...]) -> None:
    """The second operator does not agree: back to whoever proposed it."""
    _do(login, lambda work, operator: [service.decline(work, operator, one) for one in ids])


@click.command("export")
@_filtered
@click.option("--format", "form", type=click.Choice(list(MEDIA_TYPES)), default="xlsx", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@with_appcontext
def export_list(form: str, out: Path, **chosen: Any) -> None:
    """Write the differences that the options choose to a file."""
    with runtime().read() as session:
        content = export(session, _filters(session, **chosen), None, _today(), form)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written ({error.strerror}): name another file") from error
    click.echo(f"{out}: {len(content)} bytes")


def _do(login: str, act: Callable[[Work, UUID], list[Difference]]) -> None:
    with runtime().read() as session:
        operator_id = identity.platform_operator(session, login, _ROLE)
    if operator_id is None:
        raise click.ClickException(f"no finance operator of the platform is called so: {login}")
    try:
        with runtime().work(Actor("operator", str(operator_id), "command-line")) as work:
            rows = act(work, operator_id)
            work.session.flush()
            told = [f"{row.id} {row.status}" for row in rows]
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    click.echo("\n".join(told))


def _filters(
    session: Session,
    at: datetime | None,
    status: str | None,
    kind: str | None,
    hospital: str | None,
    insurer: str | None,
) -> queries.Filters:
    try:
        parties = {
            f"{role}_id": exchange.party_by_code(session, code).id if code else None
            for role, code in (("hospital", hospital), ("insurer", insurer))
        }
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    return {"business_date": at.date() if at else None, "status": status, "kind": kind, **parties}


def _today() -> date:
    return runtime().clock.today()
