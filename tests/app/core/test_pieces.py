from __future__ import annotations

import pytest

from app.core.pieces import pieces


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [[0]]), (2, [[0, 1]]), (3, [[0, 1], [2]]), (4, [[0, 1], [2, 3]])]
)
def test_the_last_piece_may_be_shorter(count: int, expected: list[list[int]]) -> None:
    assert list(pieces(list(range(count)), 2)) == expected
