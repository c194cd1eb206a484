from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from app.core.embedded import Valkey
from app.core.guardian import has_ended
from app.core.local_server import free_port
from demo.supervisor import Program, ProgramFailed, Supervisor, http_ok
from tests.servers import ROOT


def python(name: str, code: str, **options: object) -> Program:
    return Program(name, (sys.executable, "-Iuc", textwrap.dedent(code)), **options)  # type: ignore[arg-type]


def sleeper(name: str, **options: object) -> Program:
    return python(name, "import time; print('up'); time.sleep(60)", **options)


def eventually(condition: Callable[[], object], timeout_s: float = 30.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def test_waits_for_health_and_stops_in_reverse_order(tmp_path: Path) -> None:
    port = free_port()
    server = Program(
        "web",
        (sys.executable, "-I", "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        cwd=tmp_path,
        healthy=http_ok(f"http://127.0.0.1:{port}/"),
    )
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(sleeper("first"))
        supervisor.start(server)
        assert http_ok(f"http://127.0.0.1:{port}/")()
        processes = [psutil.Process(supervisor.pid(name)) for name in ("first", "web")]
    assert all(map(has_ended, processes))
    notes = (tmp_path / "logs" / "all.log").read_text()
    assert notes.index("stopped web") < notes.index("stopped first")


TALK = "import sys, time; print('直赔\\nnext'); sys.stderr.write('cut'); time.sleep(60)"


def test_output_goes_to_a_file_each_and_prefixed_to_one_for_all(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(python("talker", TALK))
        assert eventually(lambda: "cut" in supervisor.logs.tail("talker"))
    assert (tmp_path / "talker.log").read_text() == "直赔\nnextcut" or "cut" in (tmp_path / "talker.log").read_text()
    lines = [line.partition(" ")[2] for line in (tmp_path / "all.log").read_text().splitlines()]
    assert "talker           | 直赔" in lines


def test_a_program_that_never_gets_healthy_is_named(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProgramFailed, match=r"slow is not ready after 0.3 s:\nup"):
        supervisor.start(sleeper("slow", healthy=lambda: False, ready_timeout_s=0.3))


def test_a_program_that_ends_by_itself_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProgramFailed, match="no such table"):
        supervisor.start(python("broken", "import sys; sys.exit('no such table')"))
        supervisor.wait()


def test_restarts_what_was_killed_if_marked_so(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(sleeper("worker", restart=True))
        killed = supervisor.kill("worker")
        assert eventually(lambda: supervisor.pid("worker") not in (None, killed))
        supervisor.check()


def test_what_was_killed_on_purpose_may_be_killed_again_and_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(sleeper("worker", restart=True))
        for _ in range(7):
            killed = supervisor.kill("worker")
            assert eventually(lambda before=killed: supervisor.pid("worker") not in (None, before))  # type: ignore[misc]
        supervisor.check()


def test_gives_up_on_a_program_that_keeps_dying(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProgramFailed, match="hopeless ended"):
        supervisor.start(python("hopeless", "raise SystemExit(3)", restart=True))
        supervisor.wait()
    assert (tmp_path / "all.log").read_text().count("started hopeless") == 5


def test_restarts_a_server_under_the_same_url(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    with Supervisor(tmp_path / "logs") as supervisor:
        url = supervisor.adopt("valkey", server)
        killed = supervisor.kill("valkey")
        assert eventually(lambda: supervisor.pid("valkey") not in (None, killed))
        assert redis.Redis.from_url(url).ping()
    server.remove()


def test_kills_a_program_that_ignores_the_request_to_stop(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(python("deaf", deaf, grace_s=0.3))
        assert eventually(lambda: "deaf" in supervisor.logs.tail("deaf"))
        process = psutil.Process(supervisor.pid("deaf"))
    assert has_ended(process)


def test_stops_one_and_leaves_the_others(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(sleeper("one"), sleeper("other"))
        supervisor.stop("one")
        with pytest.raises(KeyError):
            supervisor.pid("one")
        assert supervisor.pid("other")
        time.sleep(0.3)
        supervisor.check()


def test_names_are_unique(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ValueError, match="one runs already"):
        supervisor.start(sleeper("one"), sleeper("one"))


# A supervisor in a process of its own, which ignores no signal even where these tests do. Its program leaves a
# grandchild in another process group, as RQ's worker does.
SUPERVISING = """
    import signal, sys
    from pathlib import Path
    from demo.supervisor import Program, Supervisor
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    nest = "import os, subprocess, sys, time;" \\
        "s = 'import os, time; os.setpgid(0, 0); time.sleep(60)';" \\
        "p = subprocess.Popen([sys.executable, '-I', '-c', s]);" \\
        "print(os.getpid(), p.pid, flush=True); time.sleep(60)"
    with Supervisor(Path(sys.argv[1])) as supervisor:
        supervisor.start(Program("nest", (sys.executable, "-Iuc", nest)))
        supervisor.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda s: s.name)
def test_nothing_survives_the_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(SUPERVISING), str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL) as supervising:
        log = tmp_path / "nest.log"
        assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        family = [psutil.Process(int(pid)) for pid in log.read_text().split()]
        os.kill(supervising.pid, number)
        supervising.wait(timeout=30)
    assert len(family) == 2
    assert eventually(lambda: all(map(has_ended, family)))


def test_a_program_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-I", "-c", "import time; time.sleep(60)"]) as stranger:
        with Supervisor(tmp_path) as supervisor:
            supervisor.start(sleeper("ours"))
        assert stranger.poll() is None
        stranger.kill()
