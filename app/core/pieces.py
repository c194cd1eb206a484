"""Much work in pieces of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

One = TypeVar("One")


def pieces(items: Sequence[One], size: int) -> Iterator[Sequence[One]]:
    """`items` in their order, `size` at a time; the last piece may be shorter."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
