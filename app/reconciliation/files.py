"""`reconcile files`: the comparison of three files, which needs no database and stores nothing."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from app.core.embedded import EmbeddedServerError, Valkey
from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.ledger import PLATFORM, Ledger
from app.reconciliation.engine.ledger_file import ENCODINGS, read_ledger_files
from app.reconciliation.engine.summary import as_json, as_text, pair_as_json
from app.reconciliation.engine.workroom import workroom
from app.reconciliation.engine.workspace import WorkingSetLost

# Exit statuses of sysexits.h.
EX_DATAERR = 65
EX_UNAVAILABLE = 69
EX_CANTCREAT = 73

# A file that is missing is told like one that cannot be used.
_LEDGER = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Business date.")
@click.option("--hospital", type=_LEDGER, required=True, help="The hospitals' ledger, CSV or JSON lines, perhaps gzip.")
@click.option("--platform", type=_LEDGER, required=True, help="The platform's ledger.")
@click.option("--insurer", type=_LEDGER, required=True, help="The insurers' ledger.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True)
@click.option("--json", "json_path", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="Result.")
@click.pass_context
def files(context: click.Context, /, day: datetime, encoding: str, json_path: Path | None, **paths: Path) -> None:
    """Compare three ledger files with the columns clearing_no, amount_fen and status.

    REDIS_URL names the server to work in; without it an embedded one runs as long as the comparison. Exit status 65: a
    file cannot be used: of the rest only the pair is compared whose two files can; 69: the server does not answer.
    """
    ledgers, refused = read_ledger_files(paths, encoding=encoding)
    reasons = {party: str(error) for party, error in refused.items()}
    for party, reason in reasons.items():
        click.echo(f"{party}: {reason}", err=True)
    for party, ledger in ledgers.items():
        if ledger.declared and ledger.rows.is_empty():
            click.echo(f"{party}: no row can be read; is it in --encoding {encoding}?", err=True)
    if PLATFORM in refused or len(refused) > 1:
        _write(json_path, {"date": f"{day:%Y-%m-%d}", "blocked": reasons})
        context.exit(EX_DATAERR)
    try:
        with _ending_in_order(), _server() as redis:
            outcome = compare(redis, day.date(), {party: Ledger.empty() for party in refused} | ledgers)
    except (RedisError, WorkingSetLost, EmbeddedServerError) as error:
        advice = "start the server that REDIS_URL names, or unset it" if os.environ.get("REDIS_URL") else "try again"
        click.echo(f"Redis does not answer ({type(error).__name__}): {advice}", err=True)
        context.exit(EX_UNAVAILABLE)
    if refused:
        _write(json_path or Path("-"), pair_as_json(outcome, tuple(ledgers)) | {"blocked": reasons})
        context.exit(EX_DATAERR)
    _write(json_path, as_json(outcome))
    click.echo(as_text(outcome), err=json_path == Path("-"))


@contextmanager
def _server() -> Iterator[Redis | RedisCluster]:
    """The server named by REDIS_URL, or one of our own for as long as the comparison takes."""
    url = os.environ.get("REDIS_URL")
    if url:
        with workroom(url) as redis:
            yield redis
        return
    with tempfile.TemporaryDirectory(prefix="reconcile-") as directory:
        server = Valkey(Path(directory))
        try:
            with workroom(server.start()) as redis:
                yield redis
        finally:
            server.remove()


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM ends the command as an interrupt does: the working set and our own server are removed first."""

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(path: Path | None, result: dict[str, object]) -> None:
    if path is None:
        return
    text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
    if path == Path("-"):
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"{path} cannot be written: {error.strerror}", err=True)
        click.get_current_context().exit(EX_CANTCREAT)
