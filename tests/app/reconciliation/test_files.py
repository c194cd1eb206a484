"""`reconcile files` on files never seen before, held against its contract written down in plain Python."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from app.reconciliation.cli import reconcile
from tests.app.reconciliation import plain
from tests.app.reconciliation.engine.books import DAY, line, number
from tests.examples import costly

ROOT = Path(__file__).resolve().parents[3]
HEADER = "clearing_no,amount_fen,status"
OTHER_DAYS = [date(2026, 11, 20), date(2026, 11, 22), date(1999, 12, 31), date(9999, 12, 31)]

good_numbers = st.one_of(
    st.integers(0, 30).map(number),
    st.sampled_from([2**20 - 1, 2**20, 2**21 + 7, 5 * 10**9, 10**10 - 1]).map(number),
    st.builds(number, st.integers(0, 3), st.sampled_from(OTHER_DAYS)),
)
bad_numbers = st.one_of(
    good_numbers.map(lambda text: text[:-1] + str((int(text[-1]) + 1) % 10)),
    good_numbers.map(lambda text: text[:-1]),
    good_numbers.map(lambda text: text + "0"),
    good_numbers.map(lambda text: " " + text),
    good_numbers.map(lambda text: "+" + text[1:]),
    st.sampled_from(["", "x", "0" * 18, "1e18"]),
)
amounts = st.one_of(
    st.integers(0, 2).map(str),
    st.sampled_from(["007", "00", str(10**18), str(2**63 - 1), "2147483647", "4294967296"]),
    st.sampled_from(["-1", "1.0", "1.", " 1", "1 ", "", "+1", "1e2", "0x1", "1_0", "１", "NaN", "-0", "1,5"]),
)
statuses = st.sampled_from(["success", "failed", "退费", "SUCCESS", "a b", "ok.", ""])
rows = st.lists(
    st.tuples(st.one_of(good_numbers, good_numbers, good_numbers, bad_numbers), amounts, statuses), max_size=24
)
dresses = st.fixed_dictionaries(
    {
        "end": st.sampled_from(["\n", "\r\n"]),
        "mark": st.booleans(),
        "packed": st.booleans(),
        "quoted": st.booleans(),
        "last_end": st.booleans(),
        "blank": st.booleans(),
        "trailer": st.booleans(),
    }
)


def cell(text: str, quoted: bool) -> str:
    return f'"{text}"' if quoted or "," in text else text


def dress(book: list[plain.Row], how: dict[str, Any]) -> bytes:
    """The rows as a CSV file of some system: line ends, byte mark, quotes, blank lines, trailer, gzip."""
    lines = [HEADER, *(",".join(cell(text, how["quoted"]) for text in row) for row in book)]
    if how["blank"]:
        lines.insert(1, "")
    end = how["end"]
    text = end.join(lines) + (end if how["last_end"] or how["trailer"] else "")
    content = (b"\xef\xbb\xbf" if how["mark"] else b"") + text.encode()
    if how["trailer"]:
        readable = sum(int(amount) for _, amount, _ in book if _is_amount(amount))
        content += f"#TRAILER,{len(book)},{readable},{hashlib.sha256(content).hexdigest()}{end}".encode()
    return gzip.compress(content, mtime=0) if how["packed"] else content


def _is_amount(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= plain.GREATEST_FEN


def run(paths: dict[str, Path], *options: str) -> Any:
    given_paths = [part for party, path in paths.items() for part in (f"--{party}", str(path))]
    return CliRunner().invoke(reconcile, ["files", "--date", str(DAY), *given_paths, *options])


@costly
@given(books=st.tuples(rows, rows, rows), how=st.tuples(dresses, dresses, dresses))
def test_any_three_files_are_answered_as_the_contract_says(
    fresh_redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    books: tuple[list[plain.Row], ...],
    how: tuple[dict[str, Any], ...],
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    with tempfile.TemporaryDirectory() as directory:
        paths = {}
        for party, book, its in zip(plain.PARTIES, books, how, strict=True):
            paths[party] = Path(directory, f"{party}.csv")
            paths[party].write_bytes(dress(book, its))
        done = run(paths, "--json", str(Path(directory, "out.json")))
        assert done.exit_code == 0, done.output
        found = json.loads(Path(directory, "out.json").read_text(encoding="utf-8"))
    expected = plain.answer(dict(zip(plain.PARTIES, books, strict=True)))
    assert {name: found[name] for name in expected} == expected
    assert found["rows"] == {party: len(book) for party, book in zip(plain.PARTIES, books, strict=True)}
    assert sum(found["sets"].values()) == found["totals"]["three_party"]["count"]


def write(directory: Path, **contents: bytes | str) -> dict[str, Path]:
    paths = {}
    for party in plain.PARTIES:
        content = contents.get(party, HEADER + "\n" + line(1))
        paths[party] = directory / f"{party}.csv"
        paths[party].write_bytes(content if isinstance(content, bytes) else content.encode())
    return paths


def test_a_row_that_cannot_be_decoded_is_bad_and_the_rest_goes_on(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    spoilt = f"{HEADER}\n{line(1)}{number(2)},5,".encode() + b"\xff\xfe\n" + line(3).encode()
    found = json.loads(run(write(tmp_path, hospital=spoilt), "--json", "-").stdout)
    assert (found["bad_rows"]["hospital"], found["sets"]["111"], found["sets"]["100"]) == (1, 1, 1)
    assert found["bad_lines"] == [{"party": "hospital", "line": 3, "reason": "encoding"}]


def test_without_a_usable_file_the_other_pair_is_still_compared(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    two = f"{HEADER}\n{line(1)}{line(2)}"
    done = run(write(tmp_path, hospital=b"", platform=two), "--json", "-")
    assert done.exit_code == 65
    found = json.loads(done.stdout)
    assert set(found["blocked"]) == {"hospital"}
    assert found["pairs"] == {"platform_insurer": {"only_platform": 1, "only_insurer": 0, "both": 1}}
    assert "sets" not in found
    assert set(found["totals"]) == {"platform_insurer"}


def test_a_file_that_is_missing_is_one_that_cannot_be_used(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    paths = write(tmp_path)
    paths["hospital"].unlink()
    done = run(paths)
    assert done.exit_code == 65
    assert json.loads(done.stdout)["pairs"]["platform_insurer"]["both"] == 1, "shown where no file was named"
    assert "hospital: the file is missing" in done.stderr


def test_a_file_without_one_row_that_can_be_read_is_pointed_out(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    done = run(write(tmp_path, hospital=f"{HEADER}\n1,已付,已付\n"))
    assert (done.exit_code, done.stderr) == (0, "hospital: no row can be read; is it in --encoding utf-8?\n")


def test_without_the_platform_there_is_nothing_to_compare_with(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    done = run(write(tmp_path, platform=b"a,b\n1,2\n"), "--json", "-")
    assert (done.exit_code, list(json.loads(done.stdout))) == (65, ["date", "blocked"])


@pytest.mark.parametrize("url", ["nonsense", "redis://127.0.0.1:1/0", "redis://no-such-host.invalid:6379/0"])
def test_a_server_that_is_not_there_is_status_69(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert run(write(tmp_path)).exit_code == 69


def test_a_result_that_cannot_be_written_is_told(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    done = run(write(tmp_path), "--json", str(tmp_path / "no" / "where.json"))
    assert (done.exit_code, "cannot be written" in done.output) == (73, True)


def test_the_commands_of_the_published_method_do_the_work(
    tmp_path: Path, fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    book = f"{HEADER}\n" + "".join(map(line, range(200))) + line(1, day=OTHER_DAYS[0])
    with Redis.from_url(fresh_redis_url) as redis:
        redis.config_resetstat()
        assert run(write(tmp_path, hospital=book, insurer=book, platform=book)).exit_code == 0
        calls = {name: said["calls"] for name, said in redis.info("commandstats").items()}
        assert redis.dbsize() == 0
    assert all(calls[f"cmdstat_{name}"] > 0 for name in ("bitop", "sinterstore", "sdiffstore", "sadd"))


def test_it_needs_no_database_and_no_redis_and_a_stopped_one_leaves_nothing(
    tmp_path: Path, fresh_redis_url: str
) -> None:
    """The real command; told to stop in the middle it clears up and says so with its status."""
    environment = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "DATABASE_URL")}
    paths = write(tmp_path)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "reconcile", "files", "--date", str(DAY)]
    command += [part for party, path in paths.items() for part in (f"--{party}", str(path))]
    done = subprocess.run(
        [*command, "--json", "-"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sets"]["111"] == 1
    with Redis.from_url(fresh_redis_url) as redis:
        redis.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
        stopped = subprocess.Popen(command, cwd=ROOT, env=environment | {"REDIS_URL": fresh_redis_url})
        try:
            _wait_until_it_writes(redis)
            stopped.send_signal(signal.SIGTERM)
            redis.execute_command("CLIENT", "UNPAUSE")
            assert stopped.wait(60) == 128 + signal.SIGTERM
        finally:
            redis.execute_command("CLIENT", "UNPAUSE")
            stopped.kill()
            stopped.wait()
        assert redis.dbsize() == 0


def _wait_until_it_writes(redis: Redis) -> None:
    ends_s = time.monotonic() + 60
    while not redis.info("clients")["blocked_clients"]:
        assert time.monotonic() < ends_s, "it never came to write"
        time.sleep(0.02)
