"""`reconcile files`: the comparison of three files, which needs no database and stores nothing."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.core.embedded import Valkey
from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.ledger_file import ENCODINGS, read_ledger_files
from app.reconciliation.engine.summary import as_json, as_text

# Exit statuses of sysexits.h.
EX_DATAERR = 65
EX_UNAVAILABLE = 69
_CONNECT_TIMEOUT_S = 2.0
_COMMAND_TIMEOUT_S = 60.0
_READ_BYTES = 1 << 20  # answers are megabytes


_LEDGER = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Business date.")
@click.option("--hospital", type=_LEDGER, required=True, help="The hospitals' ledger, CSV, plain or gzip.")
@click.option("--platform", type=_LEDGER, required=True, help="The platform's ledger.")
@click.option("--insurer", type=_LEDGER, required=True, help="The insurers' ledger.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True)
@click.option("--json", "json_path", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="Result.")
@click.pass_context
def files(context: click.Context, /, day: datetime, encoding: str, json_path: Path | None, **paths: Path) -> None:
    """Compare three ledger files with the columns clearing_no, amount_fen and status.

    REDIS_URL names the server to work in; without it an embedded one runs as long as the comparison. Exit status 65: a
    file cannot be used, nothing was compared; 69: the server does not answer.
    """
    ledgers, refused = read_ledger_files(paths, encoding=encoding)
    if refused:
        reasons = {party: str(error) for party, error in refused.items()}
        click.echo("\n".join(f"{party}: {reason}" for party, reason in reasons.items()), err=True)
        _write(json_path, {"date": f"{day:%Y-%m-%d}", "blocked": reasons})
        context.exit(EX_DATAERR)
    try:
        with _redis() as redis:
            outcome = compare(redis, day.date(), ledgers)
    except RedisError as error:
        click.echo(f"Redis does not answer: {type(error).__name__}", err=True)
        context.exit(EX_UNAVAILABLE)
    _write(json_path, as_json(outcome))
    click.echo(as_text(outcome), err=json_path == Path("-"))


@contextmanager
def _redis() -> Iterator[Redis]:
    """A client for the comparison. All its commands may be repeated, but a silent server is to be told at once."""
    url = os.environ.get("REDIS_URL")
    if url:
        with _connect(url, _CONNECT_TIMEOUT_S) as redis:
            redis.ping()
        with _connect(url, _COMMAND_TIMEOUT_S) as redis:
            yield redis
        return
    with tempfile.TemporaryDirectory(prefix="reconcile-") as directory:
        server = Valkey(Path(directory))
        try:
            with _connect(server.start(), _COMMAND_TIMEOUT_S) as redis:
                yield redis
        finally:
            server.remove()


def _connect(url: str, timeout_s: float) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        socket_timeout=timeout_s,
        socket_read_size=_READ_BYTES,
        retry=Retry(NoBackoff(), 0),
    )


def _write(path: Path | None, result: dict[str, object]) -> None:
    if path is None:
        return
    text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
    if path == Path("-"):
        click.echo(text, nl=False)
    else:
        path.write_text(text, encoding="utf-8")
