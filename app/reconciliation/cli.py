"""`flask --app wsgi reconcile …`: a night by hand, its state, what it found and who does what about it; and the
comparison of three files."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import click
from flask.cli import with_appcontext

from app.core.errors import Problem
from app.core.work import Actor
from app.reconciliation import contracts, dry_run, queries, rules, service, views
from app.reconciliation.files import EX_DATAERR, files
from app.reconciliation.funds import dry_run as funds_dry_run
from app.reconciliation.states import ENDED, LedgerState, RunState
from app.reconciliation.worklist_cli import differences, export_list
from app.web.site import gateways, runtime
from app.web.telling import Telling

EX_TEMPFAIL = 75
_BY_HAND = Actor("system", "command-line")
_POLL_S = 0.5
_AFTER_COLLECTING_S = 600  # how long a comparison may take before this stops waiting for it
_DAY = click.DateTime(["%Y-%m-%d"])
_DATE = click.option("--date", "at", type=_DAY, help="Business date; the latest one without.")
_KINDS = click.Choice([rules.PARTIES, rules.FUNDS])


@click.group(cls=Telling)
def reconcile() -> None:
    """Compare what hospital, platform, insurer, WeChat Pay and bank say."""


reconcile.add_command(files)
reconcile.add_command(differences)
reconcile.add_command(export_list)


@reconcile.command("run")
@click.option("--date", "at", type=_DAY, required=True, help="Business date.")
@click.option("--hospital", help="Only the rows of the hospital with this code.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would change and write nothing.")
@click.option("--wait-s", default=contracts.DEFAULT_WAIT_S, show_default=True, help="How long to wait for the parties.")
@with_appcontext
def run_night(at: datetime, hospital: str | None, dry: bool, wait_s: int) -> None:
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
    _see_through(run_id, wait_s)


@reconcile.command("funds")
@click.option("--date", "at", type=_DAY, required=True, help="Day of the bills.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would change and write nothing.")
@click.option("--wait-s", default=contracts.DEFAULT_WAIT_S, show_default=True, help="How long to wait for the bills.")
@with_appcontext
def run_funds(at: datetime, dry: bool, wait_s: int) -> None:
    """Compare WeChat Pay's bills and the bank's statement of a day with our books. Exit statuses as for `run`.

    A dry run asks for every bill now; one that is not to be had is left out and named.
    """
    try:
        if dry:
            click.echo(_json(funds_dry_run.look(runtime(), gateways(), at.date())))
            return
        with runtime().work(_BY_HAND) as work:
            wanted = service.WantedFunds(at.date(), "command-line", timedelta(seconds=wait_s))
            run_id = service.start_funds(work, wanted).id
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    _see_through(run_id, wait_s)


@reconcile.command("status")
@_DATE
@click.option("--kind", type=_KINDS, help="Only runs of this kind.")
@with_appcontext
def show_status(at: datetime | None, kind: str | None) -> None:
    """The latest runs, one a line; of one that is under way also who is waited for."""
    with runtime().read() as session:
        rows, _ = queries.runs_page(session, _day(at), contracts.RunQuery(), kind)
        for row in rows:
            item = views.run_item(session, row)
            which = item.hospital or ("all" if item.kind == rules.PARTIES else item.kind)
            line = f"{item.business_date} #{item.attempt} {which} {item.status} {item.id}"
            if row.status not in ENDED:
                done, total = _progress(row.id)
                line += f" {done}/{total}"
            click.echo(line)


@reconcile.command("show")
@_DATE
@click.option("--kind", type=_KINDS, default=rules.PARTIES, show_default=True)
@with_appcontext
def show_run(at: datetime | None, kind: str) -> None:
    """The figures and the first differences of the latest run of a date, as JSON."""
    with runtime().read() as session:
        rows, _ = queries.runs_page(session, _day(at), contracts.RunQuery(limit=1), kind)
    if not rows:
        raise click.ClickException("no run of this date: `reconcile status` lists those that there are")
    _show(rows[0].id)


def _see_through(run_id: UUID, wait_s: int) -> None:
    """Show the progress until the end, then what was found; the exit status says how it ended."""
    status = _wait(run_id, wait_s)
    _show(run_id)
    if status not in ENDED:
        click.get_current_context().exit(EX_TEMPFAIL)
    if status == RunState.BLOCKED:
        click.get_current_context().exit(EX_DATAERR)


def _wait(run_id: UUID, wait_s: int) -> str:
    """The status at the end, or when the parties' time and that for the comparison are over."""
    ends_s = time.monotonic() + wait_s + _AFTER_COLLECTING_S
    with click.progressbar(range(1), length=1, label="books and parts", file=sys.stderr, show_pos=True) as bar:
        while True:
            with runtime().read() as session:
                run = queries.run(session, run_id)
            assert run is not None
            done, total = _progress(run_id)
            bar.length = max(1, total)
            bar.update(max(0, done - bar.pos))
            if run.status in ENDED or time.monotonic() > ends_s:
                return run.status
            time.sleep(_POLL_S)


def _progress(run_id: UUID) -> tuple[int, int]:
    """Steps that are done, and how many are known so far: books that are not waited for, parts that are compared."""
    with runtime().read() as session:
        books = [row.status for row in queries.ledgers(session, run_id)]
        parts, left = len(queries.parts(session, run_id)), queries.parts_left(session, run_id)
    arrived = sum(status != LedgerState.WAITING for status in books)
    return arrived + parts - left, len(books) + parts


def _show(run_id: UUID) -> None:
    with runtime().read() as session:
        run = queries.run(session, run_id)
        assert run is not None
        click.echo(_json(views.run_view(session, run, None, runtime().clock.today()).model_dump(mode="json")))


def _day(at: datetime | None) -> date | None:
    return at.date() if at is not None else None


def _json(found: Mapping[str, object]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1)
