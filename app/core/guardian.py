"""The last one out: ends the children of a process that died without ending them itself.

`app.core.children` runs this file as a script, once per supervising process. Standard input is a pipe whose
writing end only that process holds, so the end of the input means that it is gone, by SIGKILL too. Lines are
JSON: `{"watch": pid, "signal": number, "grace_s": seconds}` and `{"forget": pid}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from typing import TextIO

import psutil


def session_members(session_id: int) -> list[psutil.Process]:
    """Processes of a session, also those that moved to a process group of their own, as RQ's work-horse does."""
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(pid) == session_id:
                members.append(psutil.Process(pid))
    return members


def kill_session(session_id: int) -> None:
    for process in session_members(session_id):
        with contextlib.suppress(psutil.Error):
            process.kill()


def has_ended(process: psutil.Process) -> bool:
    """A zombie has ended too: whoever should reap it may be late, or not be there."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end(process: psutil.Process, stop_signal: int, grace_s: float) -> None:
    """Ask, wait, then kill the process and whatever is left of its session."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(stop_signal)
    deadline = time.monotonic() + grace_s
    while not has_ended(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    kill_session(process.pid)


def watch(lines: TextIO) -> dict[int, tuple[psutil.Process, int, float]]:
    """Read until the supervising process is gone; what it still had running, oldest first."""
    watched: dict[int, tuple[psutil.Process, int, float]] = {}
    for line in lines:
        message = json.loads(line)
        if "forget" in message:
            watched.pop(message["forget"], None)
            continue
        # psutil keeps the start time, so a number that is given to another process later is not mistaken for ours.
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(message["watch"])
            watched[process.pid] = (process, message["signal"], message["grace_s"])
    return watched


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for process, stop_signal, grace_s in reversed(watch(sys.stdin).values()):
        end(process, stop_signal, grace_s)


if __name__ == "__main__":
    main()
