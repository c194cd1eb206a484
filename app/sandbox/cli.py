"""`flask --app wsgi sandbox …`: for whoever builds against the exchange. Not in production."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO, Any

import click
from flask.cli import with_appcontext

from app.core.errors import Problem
from app.core.work import Actor
from app.exchange import service as exchange
from app.sandbox import checking, newcomers, signing
from app.sandbox.newcomers import Newcomer
from app.sandbox.progress import steps
from app.web.site import runtime
from app.web.telling import Telling

BY_HAND = Actor("system", "sandbox")
_FOLDER = click.Path(file_okay=False, path_type=Path)
_TO = click.option("--to", "folder", type=_FOLDER, default=Path("sandbox"), show_default=True, help="Where to.")
_FORCE = click.option("--force", is_flag=True, help="Into a folder that has files, over those of the same names.")


@click.group("sandbox", cls=Telling)
@with_appcontext
def sandbox() -> None:
    """Keys, sample data and a checker for whoever builds against the exchange."""
    if runtime().settings.app_env == "production":
        raise click.ClickException("there is no sandbox in production")


@sandbox.group("new")
def new() -> None:
    """Make a party with its program and keys, and write its files."""


@new.command("hospital")
@_TO
@_FORCE
@with_appcontext
def new_hospital(folder: Path, force: bool) -> None:
    """A hospital: keys, three batches to send, and a command that waits for its agent."""
    _spare(folder, force)
    with runtime().work(BY_HAND) as work:
        made = newcomers.new_hospital(work, runtime().settings.exchange_url)
    _write(made, folder)


@new.command("insurer")
@_TO
@_FORCE
@click.option("--url", default="", help="Where we call the insurer.")
@click.option("--push-url", default="", help="Where its feed is pushed to.")
@with_appcontext
def new_insurer(folder: Path, force: bool, url: str, push_url: str) -> None:
    """An insurer: keys, messages to send, and a claim package that waits in its feed."""
    _spare(folder, force)
    config = {name: value for name, value in (("url", url), ("push_url", push_url)) if value}
    with runtime().work(BY_HAND) as work:
        made = newcomers.new_insurer(work, runtime().settings.exchange_url, config)
    _write(made, folder)


@sandbox.command("check")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.pass_context
def check(context: click.Context, file: IO[str]) -> None:
    """Say what is wrong with the message in FILE (`-` for standard input): a batch, an insurer's message, a decision, a
    data request or answers to commands. Exit status 1 if anything is."""
    try:
        report = checking.check(file.read())
    except UnicodeDecodeError as error:
        raise click.ClickException("the file is not UTF-8") from error
    for fault in report.faults:
        click.echo(f"wrong {fault}")
    for hint in report.hints:
        click.echo(f"note {hint}")
    if report.faults:
        context.exit(1)
    click.echo(f"ok {report.kind}")


@sandbox.command("signature")
@click.argument("headers", type=click.File(encoding="utf-8"))
@click.argument("body", type=click.File("rb"))
@click.pass_context
@with_appcontext
def signature(context: click.Context, headers: IO[str], body: IO[bytes]) -> None:
    """Say why a request is not believed: HEADERS has a `name: value` a line, BODY the bytes that were sent, before
    gzip. Exit status 1 if it is not."""
    try:
        given = signing.read_headers(headers.read())
    except UnicodeDecodeError as error:
        raise click.ClickException("the headers are not UTF-8") from error
    with runtime().read() as session:
        keys = exchange.live_keys(session, runtime().privacy, given.get("zhipei-partner", ""))
    sent = body.read().decode(errors="replace")
    found = signing.faults(keys, given, sent, runtime().clock.now().timestamp())
    for fault in found:
        click.echo(f"wrong {fault}")
    if found:
        context.exit(1)
    click.echo("ok signature")


@sandbox.command("progress")
@click.argument("code")
@with_appcontext
def progress(code: str) -> None:
    """Which steps of the integration have been seen to work for the party CODE."""
    try:
        with runtime().read() as session:
            party = exchange.party_by_code(session, code)
            found = steps(party.kind, exchange.seen(session, party.id))
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    for step in found:
        click.echo(f"{'[x]' if step.done else '[ ]'} {step.name}：{step.told}")


def _spare(folder: Path, force: bool) -> None:
    """Secrets are shown this once: those of an earlier party are not written over unless it is said."""
    if not force and folder.is_dir() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty: name another folder, or --force to write over its files")


def _write(made: Newcomer, folder: Path) -> None:
    """Files that nobody else may read: secrets are among them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.files.items():
        path = folder / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(_text(content))
        click.echo(f"{path}")
    click.echo(f"party {made.party}")


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=2) + "\n"
