"""The launcher as a process: says when it is ready, and ends cleanly when told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.mock_partners.worlds import small_world

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_runs_until_told_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    world = tmp_path / "world.json"
    world.write_text(json.dumps(small_world()), encoding="utf-8")
    arguments = ["--world", str(world), "--state-dir", str(tmp_path / "state")]
    command = [sys.executable, "-m", "mock_partners", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            urls = json.loads(process.stdout.readline())["ready"]
            assert httpx.get(f"{urls['I1']}/__mock__/health").json() == {"name": "I1"}
            process.send_signal(how)
            assert process.wait(15) == 0
        finally:
            process.kill()
    assert (tmp_path / "state" / "I1.sqlite").exists()
