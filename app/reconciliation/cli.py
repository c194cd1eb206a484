"""`flask --app wsgi reconcile …`: a night by hand, its state and what it found; and the comparison of three files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import click
from flask.cli import with_appcontext

from app.core.errors import Problem
from app.core.work import Actor
from app.reconciliation import contracts, dry_run, queries, service, views
from app.reconciliation.files import EX_DATAERR, files
from app.reconciliation.states import ENDED, RunState
from app.web.site import gateways, runtime

EX_TEMPFAIL = 75
_BY_HAND = Actor("system", "command-line")
_POLL_S = 0.5
_DATE = click.option("--date", "at", type=click.DateTime(["%Y-%m-%d"]), help="Business date; the latest one without.")


@click.group()
def reconcile() -> None:
    """Compare what hospital, platform and insurer say was borne."""


reconcile.add_command(files)


@reconcile.command("run")
@click.option("--date", "at", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Business date.")
@click.option("--hospital", help="Only the rows of the hospital with this code.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would change and write nothing.")
@click.option("--wait-s", default=contracts.DEFAULT_WAIT_S, show_default=True, help="How long to wait for the parties.")
@click.pass_context
@with_appcontext
def run_night(context: click.Context, /, at: datetime, hospital: str | None, dry: bool, wait_s: int) -> None:
    """Run a night; the workers do it, this waits for its end.

    A dry run asks the insurers and reads the platform's book now, and takes the hospitals' books from the last run,
    because to ask them is to write. Exit status 65: a party's part is blocked; 75: not ended yet.
    """
    try:
        if dry:
            click.echo(_json(dry_run.look(runtime(), gateways(), at.date(), hospital)))
            return
        with runtime().work(_BY_HAND) as work:
            wanted = service.Wanted(at.date(), "command-line", hospital, timedelta(seconds=wait_s))
            run_id = service.start(work, wanted).id
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    status = _wait(run_id, wait_s)
    _show(run_id)
    if status not in ENDED:
        context.exit(EX_TEMPFAIL)
    if status == RunState.BLOCKED:
        context.exit(EX_DATAERR)


@reconcile.command("status")
@_DATE
@with_appcontext
def show_status(at: datetime | None) -> None:
    """The latest runs, one a line."""
    with runtime().read() as session:
        rows, _ = queries.runs_page(session, _day(at), contracts.RunQuery())
        for row in rows:
            item = views.run_item(session, row)
            click.echo(f"{item.business_date} #{item.attempt} {item.hospital or 'all'} {item.status} {item.id}")


@reconcile.command("show")
@_DATE
@with_appcontext
def show_run(at: datetime | None) -> None:
    """The figures and the first differences of the latest run of a date, as JSON."""
    with runtime().read() as session:
        rows, _ = queries.runs_page(session, _day(at), contracts.RunQuery(limit=1))
    if not rows:
        raise click.ClickException("no run of this date")
    _show(rows[0].id)


def _wait(run_id: UUID, wait_s: int) -> str:
    """The status at the end, or when the parties' time and a minute for the comparison are over."""
    end = time.monotonic() + wait_s + 60
    while True:
        with runtime().read() as session:
            run = queries.run(session, run_id)
        assert run is not None
        if run.status in ENDED or time.monotonic() > end:
            return run.status
        time.sleep(_POLL_S)


def _show(run_id: UUID) -> None:
    with runtime().read() as session:
        run = queries.run(session, run_id)
        assert run is not None
        click.echo(_json(views.run_view(session, run, None).model_dump(mode="json")))


def _day(at: datetime | None) -> date | None:
    return at.date() if at is not None else None


def _json(found: Mapping[str, object]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1)
