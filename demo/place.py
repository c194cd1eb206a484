"""Where one demonstration keeps everything: a directory for each business date, filling and database.

Two demonstrations never share a directory: whoever comes second while the first still runs takes the next one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.core.local_server import write_private

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".data" / "demo"


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    business_date: date
    patients: int = 60
    his_data: Path | None = None
    fresh: bool = False
    data: Path = DATA
    database_url: str = ""
    redis_url: str = ""

    @property
    def dialect(self) -> str:
        return "synthea" if self.his_data else "builtin"

    @property
    def name(self) -> str:
        """The directory's name: what differs between two days that must not share data."""
        parts = [self.business_date.isoformat(), self.dialect]
        if self.his_data is None:
            parts.append(str(self.patients))
        if self.database_url:
            parts.append(sha256(self.database_url.encode()).hexdigest()[:8])
        return "-".join(parts)


class Place:
    """One demonstration's directory, held by a lock as long as it runs."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.path, self._claim = _claim_first_free(options)

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def world_file(self) -> Path:
        return self.path / "world.json"

    @property
    def master_key_file(self) -> Path:
        return self.path / "master_key.json"

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    @property
    def begun_file(self) -> Path:
        """Stands from a day's beginning on; without a result beside it the day was interrupted."""
        return self.path / "begun.json"

    @property
    def was_interrupted(self) -> bool:
        return self.begun_file.exists() and not self.result_file.exists()

    def read(self, file: Path) -> Any | None:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def write(self, file: Path, content: Any) -> None:
        """Replace a file at once, readable by us only: it may hold secrets."""
        scratch = file.with_suffix(".new")
        write_private(scratch, json.dumps(content, ensure_ascii=False, indent=1))
        scratch.replace(file)

    def clear_logs(self) -> None:
        """Before anything writes them."""
        shutil.rmtree(self.logs, ignore_errors=True)

    def clear(self) -> None:
        """Forget everything but the logs being written and the servers' data, which is dropped in the servers."""
        for entry in self.path.iterdir():
            if entry.name in ("claim", "logs", "postgres", "valkey"):
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def release(self) -> None:
        os.close(self._claim)


def _claim_first_free(options: Options) -> tuple[Path, int]:
    number = 1
    while True:
        path = options.data / (options.name if number == 1 else f"{options.name}-{number}")
        path.mkdir(parents=True, exist_ok=True, mode=0o700)  # what the doubles remember is personal data
        claim = os.open(path / "claim", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(claim)
            number += 1
            continue
        return path, claim
