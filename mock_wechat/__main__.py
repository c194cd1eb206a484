"""`python -m mock_wechat --world world.json --port N --state-dir D`: run the stand-in until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import click

from mock_wechat.server import WeChat


@click.command()
@click.option("--world", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--port", type=int, default=0, help="0 takes a free one")
@click.option("--host", default="127.0.0.1")
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), help="where a restart finds its memory")
def main(world: Path, port: int, host: str, state_dir: Path | None) -> None:
    if os.environ.get("APP_ENV") == "production":
        raise click.UsageError("this is a stand-in: it does not run where APP_ENV is production")
    if state_dir:
        state_dir.mkdir(parents=True, exist_ok=True)
    wechat = WeChat(json.loads(world.read_text(encoding="utf-8"))["wechat"], state_dir=state_dir)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    click.echo(wechat.start(port, host=host))
    ended.wait()
    wechat.stop()


if __name__ == "__main__":
    main()
