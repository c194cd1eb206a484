"""`flask --app wsgi partner …`: the keys that partners' programs sign with, and the secrets that we sign with there."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import click
from flask.cli import with_appcontext

from app.core.errors import Problem
from app.core.signing import SEED_BYTES, SigningKey
from app.core.work import Actor, Work
from app.exchange import calls, keys, service
from app.web.site import gateways, runtime
from app.web.telling import Telling

BY_HAND = Actor("system", "command-line")


@contextmanager
def by_hand() -> Iterator[Work]:
    """A transaction of whoever sits at the command line; a refusal is told in its own words."""
    try:
        with runtime().work(BY_HAND) as work:
            yield work
    except Problem as problem:
        raise click.ClickException(problem.message) from problem


@click.group("partner", cls=Telling)
def partner() -> None:
    """Keys of partners' programs, and secrets for what we send to their parties, two of which may be live so that one
    is changed without a pause; and the keys of claim packages, theirs and ours."""


@partner.command("add-key")
@click.argument("code")
@click.option("--public", "public_key", help="The public half (whpk_…) of an Ed25519 pair that the partner has made.")
@with_appcontext
def add_key(code: str, public_key: str | None) -> None:
    """Make a further key for the program CODE and show it, this once; or take in its own public key."""
    key = public_key or service.new_secret()
    with by_hand() as work:
        service.add_key(work, service.partner_by_code(work.session, code).id, key)
    click.echo(key)


@partner.command("retire-key")
@click.argument("code")
@with_appcontext
def retire_key(code: str) -> None:
    """End the older of the two keys of the program CODE."""
    with by_hand() as work:
        service.retire_oldest_key(work, service.partner_by_code(work.session, code).id)
    click.echo("retired")


@partner.command("package-key")
@click.argument("insurer")
@click.argument("file", type=click.File(encoding="utf-8"))
@with_appcontext
def package_key(insurer: str, file: IO[str]) -> None:
    """Encrypt claim packages to the public key (a JWK, EC P-256) in FILE from now on. INSURER is the insurer's code.

    The insurer keeps its older private key until nothing is on its way any more: each message names the key it needs.
    """
    try:
        jwk = json.load(file)
        if not isinstance(jwk, dict):
            raise ValueError("not an object")
    except ValueError as error:
        raise click.BadParameter("the file is no JWK in JSON", param_hint="FILE") from error
    with by_hand() as work:
        party = service.party_by_code(work.session, insurer)
        key_id = service.register_package_key(work, party.id, jwk)
    click.echo(key_id)


@partner.command("signing-keys")
@with_appcontext
def signing_keys() -> None:
    """Show the public keys that we sign claim packages with, as JSON: what insurers and the claim checker need."""
    found = [vars(key) for key in keys.announced(runtime().signing)]
    click.echo(json.dumps({"keys": found}, indent=2))


@partner.command("new-signing-key")
def new_signing_key() -> None:
    """Make a key for PACKAGE_SIGNING_KEYS and show it with its id, this once.

    Put it last, start anew, and let the insurers fetch it; then put it first. The old one stays behind it for as long
    as packages signed with it are to be verified.
    """
    seed = secrets.token_bytes(SEED_BYTES)
    click.echo(f"{b64encode(seed).decode()} {SigningKey(seed).key_id}")


@partner.command("add-outbound")
@click.argument("party")
@with_appcontext
def add_outbound(party: str) -> None:
    """Make a further secret for what we send to PARTY and show it, this once: from now on both sign."""
    secret = service.new_secret()
    with by_hand() as work:
        service.add_outbound_secret(work, service.party_by_code(work.session, party).id, secret)
    click.echo(secret)


@partner.command("retire-outbound")
@click.argument("party")
@click.option("--force", is_flag=True, help="Also where nothing shows that PARTY believes the newer one.")
@with_appcontext
def retire_outbound(party: str, force: bool) -> None:
    """The older of the two secrets for PARTY signs no more.

    An insurer is asked for today's book before, signed with the newer one alone: what it does not believe is not left
    alone to sign.
    """
    if not force and not calls.believes_newer_secret(runtime(), gateways(), party):
        raise click.ClickException(f"nothing shows that {party} believes the newer secret; --force retires the older")
    with by_hand() as work:
        service.retire_outbound_secret(work, service.party_by_code(work.session, party).id)
    click.echo("retired")
