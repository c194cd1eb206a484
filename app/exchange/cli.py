"""`flask --app wsgi partner …`: the keys that partners' programs sign with."""

from __future__ import annotations

import secrets
from base64 import b64encode

import click
from flask.cli import with_appcontext

from app.core.errors import Problem
from app.core.work import Actor
from app.exchange import service
from app.web.site import runtime

_BY_HAND = Actor("system", "command-line")


@click.group("partner")
def partner() -> None:
    """Keys of partners' programs. Two may be live, so that a key is changed without a pause."""


@partner.command("add-key")
@click.argument("code")
@with_appcontext
def add_key(code: str) -> None:
    """Make a further key for the program CODE and show it, this once."""
    secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    try:
        with runtime().work(_BY_HAND) as work:
            service.add_key(work, service.partner_by_code(work.session, code).id, secret)
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    click.echo(secret)


@partner.command("retire-key")
@click.argument("code")
@with_appcontext
def retire_key(code: str) -> None:
    """End the older of the two keys of the program CODE."""
    try:
        with runtime().work(_BY_HAND) as work:
            service.retire_oldest_key(work, service.partner_by_code(work.session, code).id)
    except Problem as problem:
        raise click.ClickException(problem.message) from problem
    click.echo("retired")
