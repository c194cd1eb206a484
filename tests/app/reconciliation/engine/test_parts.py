"""A night in parts: every row in one part, parts packed and unpacked, and together the outcome of the whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from app.reconciliation.engine import outcome_file, parts
from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.engine.outcome import combine
from tests.app.reconciliation.engine.books import DAY, line, read_all, write_all
from tests.examples import costly

ordinals = st.one_of(
    st.integers(0, 40), st.integers(2**20 - 5, 2**20 + 5), st.sampled_from([10**10 - 1, 7 * 10**9, 3 * 2**20])
)
rows = st.builds(
    line, ordinals, st.integers(0, 3), st.sampled_from(["ok", "failed", ""]), st.sampled_from([DAY, date(2026, 11, 20)])
)
books = st.lists(st.one_of(rows, st.just("spoilt,1,ok\n")), max_size=25)


@costly
@given(hospital=books, platform=books, insurer=books)
def test_parts_together_are_the_whole(
    fresh_redis_url: str, tmp_path: Path, hospital: list[str], platform: list[str], insurer: list[str]
) -> None:
    ledgers = read_all(write_all(tmp_path, hospital, platform, insurer))
    with Redis.from_url(fresh_redis_url) as redis:
        whole = compare(redis, DAY, ledgers)
        shares = list(parts.split(DAY, ledgers))
        found = [outcome_file.load(outcome_file.dump(compare(redis, DAY, parts.load(s.dump())))) for s in shares]
    assert sum(share.row_count for share in shares) == sum(ledger.declared for ledger in ledgers.values())
    together = combine(found)
    assert (together.overall, together.groups, together.parties) == (whole.overall, whole.groups, whole.parties)
    assert together.differences.equals(whole.differences)
    for name in ("duplicate_rows", "bad_rows"):
        order = ["party", "line"]
        assert getattr(together, name).sort(order).equals(getattr(whole, name).sort(order))


def test_each_dense_segment_is_a_part_of_its_own(tmp_path: Path) -> None:
    dense = [line(segment * 2**20 + place) for segment in (0, 1, 4) for place in range(300)]
    paths = write_all(tmp_path, dense, dense, [*dense, line(1, day=date(2026, 11, 20))])
    names = [share.name for share in parts.split(DAY, read_all(paths))]
    assert names == ["0", "1", "4", parts.ELSEWHERE]
    assert [share.name for share in parts.split(DAY, dict.fromkeys(paths, Ledger.empty()))] == [parts.ELSEWHERE]
