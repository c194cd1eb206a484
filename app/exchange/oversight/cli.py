"""`flask --app wsgi exchange …`: the state of the exchange in a few lines, and doing again what has failed for good."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from app.core import dead_tasks
from app.core.paging import PageQuery
from app.exchange import queries, service
from app.exchange.cli import by_hand
from app.exchange.oversight import views
from app.web.site import runtime
from app.web.telling import Telling

_SHOWN = PageQuery(limit=20)


@click.group("exchange", cls=Telling)
def exchange() -> None:
    """What the exchange waits for and what has failed."""


@exchange.command("status")
@click.option("--date", "at", type=click.DateTime(["%Y-%m-%d"]), help="Business date; today's without.")
@click.option("--longer-than-s", default=60, show_default=True, help="Commands that have waited so long are late.")
@with_appcontext
def status(at: datetime | None, longer_than_s: int) -> None:
    """Completeness of every hospital, late commands, open requests, pushes and dead tasks."""
    clock = runtime().clock
    day = at.date() if at is not None else clock.today()
    with runtime().read() as session:
        for one in views.completeness(session, service.parties(session, "hospital"), day):
            share = "-" if one.percent is None else f"{one.percent:.2f}%"
            lacks = f", {one.missing_batches} missing from {one.missing[0]}" if one.missing else ""
            held = f", {one.bad_rows} rows held back by its agent" if one.bad_rows else ""
            click.echo(f"{day} {one.party} {share} of {one.declared_rows} rows in {one.batches} batches{lacks}{held}")
        _show_waiting(session, clock.now() - timedelta(seconds=longer_than_s))
        for push in views.pushes(session, None):
            click.echo(f"push {push.party} at {push.cursor} of {push.last_cursor}, {push.waiting} waiting")
        for kind, number in dead_tasks.count(session).items():
            click.echo(f"dead {kind} {number}")


def _show_waiting(session: Session, before: datetime) -> None:
    """The newest of each, one a line."""
    commands, _ = queries.late_commands(session, before, _SHOWN)
    for command in views.late_commands(session, commands):
        click.echo(f"command {command.party} {command.kind} {command.status} since {command.created_at:%F %T} UTC")
    requests, _ = queries.unanswered_requests(session, _SHOWN)
    for request in views.requests(session, requests):
        way = f"{request.insurer} to {request.hospital}"
        click.echo(f"request {request.request_no} {way} {request.status} until {request.deadline:%F %T} UTC")


@exchange.command("dead")
@click.option("--kind", help="Only tasks of this kind.")
@click.option("--limit", default=20, show_default=True)
@with_appcontext
def dead(kind: str | None, limit: int) -> None:
    """Tasks whose last try failed, newest first, one a line, with the cause."""
    with runtime().read() as session:
        for task in dead_tasks.dead(session, limit, kind=kind):
            click.echo(f"{task.id} {task.kind} {task.subject or '-'} {task.last_error}")


@exchange.command("replay")
@click.argument("task_id", type=int)
@with_appcontext
def replay(task_id: int) -> None:
    """Do the dead task TASK_ID again."""
    with by_hand() as work:
        if not dead_tasks.replay(work, task_id):
            raise click.ClickException("no dead task has this number: `exchange dead` lists them")
    click.echo("due again")
