"""`flask --app wsgi seed --world world.json`."""

from __future__ import annotations

import json
from typing import IO

import click
from flask.cli import with_appcontext

from app.core.work import Actor
from app.identity import seeding
from app.web.site import runtime


@click.command("seed")
@click.option("--world", type=click.File(encoding="utf-8"), required=True, help="Who exists, as JSON.")
@with_appcontext
def seed(world: IO[str]) -> None:
    """Enter hospitals, insurers, programs, apps, merchants and operators. May be repeated."""
    try:
        content = json.load(world)
    except ValueError as error:
        raise click.BadParameter("the file is not JSON in UTF-8", param_hint="--world") from error
    with runtime().work(Actor("system", "seed")) as work:
        counts = seeding.seed(work, content)
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
