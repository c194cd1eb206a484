from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[3]


def test_two_hospitals_are_served_until_the_process_is_told_to_stop(empty_database_url: str) -> None:
    command = [sys.executable, "-m", "mock_partners.his", "--database-url", empty_database_url, "--patients", "8"]
    with subprocess.Popen([*command, "--date", "2026-11-21"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())["ready"]
        assert [len(httpx.get(f"{url}/__mock__/people").json()) for url in ready.values()] == [4, 4]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
