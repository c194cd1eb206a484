"""The whole engine against the published method, literally, on random ledgers; and how it behaves in Redis."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import RedisError

from app.reconciliation.engine import compare as engine
from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.ledger import PARTIES, Ledger
from app.reconciliation.engine.summary import as_json
from app.reconciliation.engine.workspace import WorkingSetLost, Workspace
from bench import source_way
from tests.app.reconciliation.engine.books import DAY, line, number, read_all, write_all
from tests.examples import costly

KEYS = ("sets", "amount_differs", "status_differs", "duplicates", "duplicate_rows", "bad_rows", "totals")


@pytest.fixture
def redis(fresh_redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(fresh_redis_url) as client:
        yield client


ordinals = st.one_of(
    st.integers(0, 40),
    st.integers(2**20 - 5, 2**20 + 5),
    st.sampled_from([10**10 - 1, 7 * 10**9, 123_456_789, 5 * 10**9]),
)
numbers = st.one_of(
    st.builds(number, ordinals),
    st.builds(number, st.integers(0, 6), st.sampled_from([date(2026, 11, 20), date(2026, 11, 22), date(1, 1, 1)])),
    st.sampled_from(["", "0" * 19, "+" + "0" * 18, "2026112100000000007", "20261121000000000", "２" * 19, "9" * 19]),
)
amounts = st.one_of(
    st.integers(0, 3).map(str),
    st.sampled_from(["007", "2147483648", "9223372036854775807", "+5", "-5", "-0", " 5", "5.0", "", "x", "１"]),
)
statuses = st.sampled_from(["success", "failed", "", "退费", "a b", "reversed"])
books = st.lists(st.builds(lambda *fields: ",".join(fields) + "\n", numbers, amounts, statuses), max_size=25)


@costly
@given(hospital=books, platform=books, insurer=books)
def test_the_published_method_finds_the_same(
    redis: Redis, hospital: list[str], platform: list[str], insurer: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        paths = write_all(Path(directory), hospital, platform, insurer)
        expected = source_way.compare_files(redis, paths)
        outcome = compare(redis, DAY, read_all(paths))
    found = as_json(outcome)
    assert {key: found[key] for key in KEYS} == expected
    assert sum(outcome.overall.sets.values()) == outcome.overall.totals["three_party"].count
    for party, count in outcome.parties.items():
        position = PARTIES.index(party)
        assert count.rows == count.distinct + count.duplicate_rows + count.bad_rows
        assert count.readable_fen == count.distinct_fen + count.duplicate_fen + count.bad_fen
        assert count.distinct == sum(n for name, n in outcome.overall.sets.items() if name[position] == "1")
    assert redis.dbsize() == 0


def test_each_set_is_named_by_where_the_row_is(redis: Redis, tmp_path: Path) -> None:
    paths = write_all(
        tmp_path,
        [line(1), line(2), line(3), line(4)],
        [line(1), line(2), line(5), line(6)],
        [line(1), line(3), line(5), line(7)],
    )
    outcome = compare(redis, DAY, read_all(paths))
    rows = dict(outcome.differences.select("clearing_no", "set").iter_rows())
    expected = {2: "110", 3: "101", 4: "100", 5: "011", 6: "010", 7: "001"}
    assert rows == {number(ordinal): name for ordinal, name in expected.items()}
    assert outcome.overall.sets["111"] == 1
    assert outcome.overall.pair("hospital_platform") == (2, 2, 2)
    assert outcome.overall.pair("platform_insurer") == (2, 2, 2)


def test_a_difference_shows_what_each_party_says(redis: Redis, tmp_path: Path) -> None:
    paths = write_all(tmp_path, [line(1, 10)], [line(1, 20, "failed")], [])
    differences = compare(redis, DAY, read_all(paths)).differences
    assert differences.to_dicts() == [
        {
            "clearing_no": number(1),
            "hospital_fen": 10,
            "hospital_status": "success",
            "platform_fen": 20,
            "platform_status": "failed",
            "insurer_fen": None,
            "insurer_status": None,
            "set": "110",
            "amount_differs": True,
            "status_differs": True,
        }
    ]


def test_bitmaps_do_the_dense_part_and_string_sets_the_rest(redis: Redis, tmp_path: Path) -> None:
    dense = [line(ordinal) for ordinal in range(300)]
    foreign = [line(ordinal, day=date(2026, 11, 20)) for ordinal in range(3)]
    paths = write_all(tmp_path, dense + foreign, dense, foreign)
    redis.config_resetstat()
    outcome = compare(redis, DAY, read_all(paths))
    commands = redis.info("commandstats")
    assert {"cmdstat_bitop", "cmdstat_bitcount", "cmdstat_sadd"} <= set(commands)
    assert {"cmdstat_sinterstore", "cmdstat_sdiffstore", "cmdstat_setrange"} <= set(commands)
    assert outcome.overall.sets["110"] == 300
    assert outcome.overall.sets["101"] == 3


def test_numbers_scattered_over_the_whole_day_stay_small(redis: Redis, tmp_path: Path) -> None:
    step = 10**10 // 10_000
    spread = [line(step * place) for place in range(10_000)]
    redis.config_resetstat()
    before = redis.info("memory")["used_memory"]
    outcome = compare(redis, DAY, read_all(write_all(tmp_path, spread, spread[1:], spread[2:])))
    assert outcome.overall.sets["111"] == 9998
    assert redis.info("memory")["used_memory_peak"] - before < 256 * 1024 * 1024
    assert redis.dbsize() == 0


def test_the_first_row_of_a_number_counts(redis: Redis, tmp_path: Path) -> None:
    twice = [line(1, 10), line(2), line(1, 99), line(1, 98), line(7 * 10**9, 5), line(7 * 10**9, 6)]
    once = [line(1, 10), line(2), line(7 * 10**9, 5)]
    outcome = compare(redis, DAY, read_all(write_all(tmp_path, twice, once, once)))
    assert outcome.differences.is_empty()
    assert outcome.duplicate_rows.select("party", "line", "amount_fen").rows() == [
        ("hospital", 4, 99),
        ("hospital", 5, 98),
        ("hospital", 7, 6),
    ]
    assert (outcome.parties["hospital"].duplicates, outcome.parties["hospital"].duplicate_rows) == (2, 3)


def test_each_pair_of_partners_gets_its_own_statement(redis: Redis) -> None:
    platform = _ledger([1, 2, 3, 4], hospital=["H1", "H1", "H2", "H2"], insurer=["I1", "I2", "I1", "I1"])
    hospital = _ledger([1, 2, 3, 9], hospital=["H1", "H1", "H2", "H2"])
    insurer = _ledger([1, 3, 4, 8], insurer=["I1", "I1", "I1", "I2"])
    outcome = compare(redis, DAY, {"hospital": hospital, "platform": platform, "insurer": insurer})
    sets = {group: {n: c for n, c in part.sets.items() if c} for group, part in outcome.groups.items()}
    assert sets == {
        (None, "I2"): {"001": 1},
        ("H1", "I1"): {"111": 1},
        ("H1", "I2"): {"110": 1},
        ("H2", None): {"100": 1},
        ("H2", "I1"): {"111": 1, "011": 1},
    }
    totals = [part.totals["three_party"] for part in outcome.groups.values()]
    assert sum(one.amount_fen for one in totals) == outcome.overall.totals["three_party"].amount_fen
    assert sum(one.success_count for one in totals) == 2


def test_one_hospital_cannot_answer_for_another(redis: Redis) -> None:
    platform = _ledger([1], hospital=["H1"], insurer=["I1"])
    stranger = _ledger([1], hospital=["H2"])
    outcome = compare(redis, DAY, {"hospital": stranger, "platform": platform, "insurer": _ledger([1], insurer=["I1"])})
    assert outcome.overall.sets["011"] == 1
    assert outcome.bad_rows.select("party", "line", "reason").rows() == [("hospital", 1, "owner")]


def test_payments_and_reversals_are_kinds_of_their_own(redis: Redis) -> None:
    frame = {"clearing_no": [number(1)], "amount_fen": [5], "status": ["success"]}
    pay = Ledger.from_frame(pl.DataFrame({**frame, "kind": ["pay"]}))
    plain = Ledger.from_frame(pl.DataFrame(frame))
    reverse = Ledger.from_frame(pl.DataFrame({**frame, "kind": ["reverse"]}))
    assert compare(redis, DAY, {"hospital": pay, "platform": plain, "insurer": plain}).balanced
    assert compare(redis, DAY, {"hospital": reverse, "platform": pay, "insurer": pay}).overall.status_differs == 1


def test_an_emptied_redis_in_the_middle_changes_nothing(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dense = [line(ordinal) for ordinal in range(100)]
    paths = write_all(tmp_path, [*dense, line(7 * 10**9)], dense[1:], [*dense, line(7 * 10**9)])
    expected = compare(redis, DAY, read_all(paths)).overall
    flushes = iter([1, 1])
    expire = Workspace.expire

    def expire_after_a_flush(self: Workspace, keys: list[str]) -> None:
        if next(flushes, None):
            redis.flushall()
        expire(self, keys)

    monkeypatch.setattr(Workspace, "expire", expire_after_a_flush)
    assert compare(redis, DAY, read_all(paths)).overall == expected
    assert next(flushes, None) is None


def test_a_redis_that_keeps_losing_keys_is_told(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "expire", lambda self, keys: redis.flushall())
    with pytest.raises(WorkingSetLost):
        compare(redis, DAY, read_all(write_all(tmp_path, [line(1)], [line(1)], [line(1)])))


def test_the_working_set_goes_also_after_an_error(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RedisError

    monkeypatch.setattr(engine.arrays, "_differing", fail)
    with pytest.raises(RedisError):
        compare(redis, DAY, read_all(write_all(tmp_path, [line(1)], [line(1)], [line(1)])))
    assert redis.dbsize() == 0


def _ledger(ordinals: list[int], **owners: list[str]) -> Ledger:
    columns = {"clearing_no": [number(ordinal) for ordinal in ordinals], "amount_fen": [10 * o for o in ordinals]}
    return Ledger.from_frame(pl.DataFrame({**columns, "status": ["success"] * len(ordinals), **owners}))
