"""`flask --app wsgi package …`: claim packages as files."""

from __future__ import annotations

import json
from typing import IO

import click
from flask.cli import with_appcontext

from app.claim import export
from app.core.errors import Problem
from app.core.work import Actor
from app.web.site import runtime
from app.web.telling import Telling


@click.group("package", cls=Telling)
def package() -> None:
    """Claim packages as files; `python -m claim_checker` checks one offline."""


@package.command("write")
@click.argument("claim_no")
@click.option("--to", "file", type=click.File("w", encoding="utf-8"), default="-", help="Where to; else the screen.")
@with_appcontext
def write(claim_no: str, file: IO[str]) -> None:
    """Write the newest package of the claim CLAIM_NO as its insurer gets it, encrypted to the insurer. The reading is
    audited."""
    try:
        with runtime().work(Actor("system", "command-line")) as work:
            found = export.package_file(work, claim_no)
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    json.dump(found, file, ensure_ascii=False, separators=(",", ":"))
