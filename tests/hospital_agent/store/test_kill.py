"""SIGKILL at any moment: what the store had answered is there afterwards, and nothing is there twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from hospital_agent.store.commands import Inbox
from hospital_agent.store.db import Store
from hospital_agent.store.spool import Spool

LIVES = 8
WORK = """
import sys
from pathlib import Path
from hospital_agent.store.commands import Answer, Command, Inbox
from hospital_agent.store.db import Store
from hospital_agent.batch import Parcel, Row
from hospital_agent.store.spool import Spool

store = Store(Path(sys.argv[1]))
spool, inbox = Spool(store), Inbox(store)
number = int(spool.mark("at") or 0)
for left in inbox.left_over():
    inbox.answer(Answer(left.id, "done"))
print("ready", flush=True)
while True:
    number += 1
    rows = [Row("bill", f"B{number}-{i}", {"total_fen": number}) for i in range(20)]
    read_at = spool.position()
    numbers = spool.put(Parcel("record", "2026-11-21", rows, read_at, marks={"at": str(number)}))
    inbox.take([Command(f"C{number}", "register", "registration", number, {})])
    inbox.answer(Answer(f"C{number}", "done"))
    print(number, numbers[0], flush=True)
"""


def live_and_die(path: Path, seconds: float) -> list[tuple[int, int]]:
    """One life of an agent's store, ended by SIGKILL some time after its first words; what it had said was done as
    (number, batch number)."""
    command = [sys.executable, "-c", WORK, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        first = process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said = [first, *process.stdout.read().splitlines(keepends=True)]
        lines = [line.split() for line in said if line.endswith("\n")]
    return [(int(number), int(batch_no)) for number, batch_no in lines]


def test_nothing_is_lost_or_doubled_over_kills(tmp_path: Path) -> None:
    path = tmp_path / "agent.sqlite"
    chance = random.Random(7)
    said = [pair for _ in range(LIVES) for pair in live_and_die(path, chance.uniform(0.0, 0.15))]
    store = Store(path)
    spool = Spool(store)
    batches = spool.unsent()
    assert len(said) >= LIVES
    assert batches == list(range(1, len(batches) + 1)), "batch numbers are dense"
    keys = []
    while (batch := spool.next_unsent()) is not None:
        assert batch.count == 20
        keys += [row["key"] for row in json.loads(batch.rows)]
        spool.accepted(batch.batch_no)
    assert len(keys) == len(set(keys)), "no row twice"
    assert {f"B{number}-0" for number, _ in said} <= set(keys), "nothing that was said to be done is lost"
    assert int(spool.mark("at") or 0) == len(batches), "the mark moved with its rows"
    left = Inbox(store)
    answered = {row["id"] for row in store.all("SELECT id FROM answer")} | {c.id for c in left.left_over()}
    assert {f"C{number}" for number, _ in said} <= answered
    store.close()
