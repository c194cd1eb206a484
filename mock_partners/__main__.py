"""`python -m mock_partners --world world.json --state-dir D [--ports ports.json]`: run every double of a world.

Prints one JSON line `{"ready": {name: url}}` when all answer, and stops with status 0 on SIGTERM or SIGINT.
"""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path

import click

from mock_partners.company import Company

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--world", type=EXISTING_FILE, required=True, help="who exists: world.json")
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), required=True, help="what is remembered")
@click.option("--ports", type=EXISTING_FILE, help="JSON: name -> port; a name not in it takes its URL's port")
def main(world: Path, state_dir: Path, ports: Path | None) -> None:
    """Run every double of a world until SIGTERM or SIGINT."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    chosen = json.loads(ports.read_text(encoding="utf-8")) if ports else {}
    company = Company(json.loads(world.read_text(encoding="utf-8")), state_dir, chosen)
    click.echo(json.dumps({"ready": company.start()}))
    ended.wait()
    company.stop()


if __name__ == "__main__":
    main()
