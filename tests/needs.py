"""What a test may need that a machine may lack."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test, by name in the summary; in CI, which installs what tests need, it fails."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing in CI")
    pytest.skip(f"{what} is missing")


def chromium() -> Path:
    """The browser's path, or the test ends here."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return Path(found) if found else missing("chromium")


def pdftotext() -> Path:
    """What reads a PDF (poppler-utils, with poppler-data for Chinese), or the test ends here."""
    found = shutil.which("pdftotext")
    return Path(found) if found else missing("pdftotext")


def redis_server() -> Path:
    """The path of Redis itself, not of what stands in for it under its name, or the test ends here."""
    found = shutil.which("redis-server")
    if found is None:
        missing("redis-server")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return Path(found) if told.startswith("Redis") else missing("redis-server")


def mariadb_server() -> Path:
    """The path of MariaDB, or the test ends here."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else missing("mariadb-server")
