"""`flask --app wsgi menus`."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from app.exchange import service as exchange
from app.identity import service as identity
from app.notification import calls
from app.web.site import gateways, runtime


@click.command("menus")
@with_appcontext
def menus() -> None:
    """Give every hospital's public account its menu. May be repeated."""
    with runtime().read() as session:
        owners = [party.id for party in exchange.parties(session, "hospital")]
        app_ids = [app_id for owner in owners for app_id in identity.apps_of(session, owner)]
    published = sum(calls.publish_menu(runtime(), gateways(), app_id) for app_id in app_ids)
    click.echo(f"{published} menus")
