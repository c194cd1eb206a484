"""A command line that finds no server says so in a line."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from redis.exceptions import ConnectionError as RedisAway
from sqlalchemy.exc import OperationalError

from app.claim.cli import package
from app.exchange.cli import partner
from app.exchange.oversight.cli import exchange
from app.reconciliation.cli import reconcile
from app.sandbox.cli import sandbox
from app.web.telling import Telling


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OperationalError("SELECT 1", {}, Exception("refused")), "the database does not answer (Exception)"),
        (RedisAway("refused"), "Redis does not answer (ConnectionError)"),
    ],
)
def test_a_server_that_is_away_is_told_without_a_traceback(raised: Exception, told: str) -> None:
    def fail() -> None:
        raise raised

    group = Telling("tool", commands={"do": click.Command("do", callback=fail)})
    found = CliRunner().invoke(group, ["do"])
    assert found.exit_code == 1
    assert found.output.startswith(f"Error: {told}") and found.output.count("\n") == 1


def test_every_group_tells() -> None:
    assert all(isinstance(group, Telling) for group in (sandbox, partner, exchange, reconcile, package))
