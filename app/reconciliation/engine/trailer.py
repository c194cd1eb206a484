"""The last line of a ledger file, in which the party declares what the file holds:
`#TRAILER,<rows>,<sum of all readable amounts in fen>,<SHA-256 of all bytes before this line, in hexadecimal>`.
"""

from __future__ import annotations

import hashlib
import mmap
import re
from dataclasses import dataclass

MARK = b"#TRAILER"
_LONGEST_TAIL = 4096
_FORM = re.compile(rb"#TRAILER,([0-9]{1,18}),([0-9]{1,30}),([0-9a-fA-F]{64}),*", re.ASCII)


@dataclass(frozen=True)
class Trailer:
    """`start`: where its line begins; `tail_lines`: lines from there to the end of the file, blank ones included.

    `count`, `amount_fen` and `sha256` are None if the line is not in the agreed form.
    """

    start: int
    tail_lines: int
    count: int | None = None
    amount_fen: int | None = None
    sha256: str | None = None

    def faults(self, data: bytes | mmap.mmap, count: int, amount_fen: int) -> list[str]:
        """What of rows, amount and hash does not match the content; 'trailer' if it cannot be read."""
        if self.sha256 is None:
            return ["trailer"]
        with memoryview(data) as view, view[: self.start] as content:
            sha256 = hashlib.sha256(content).hexdigest()
        declared = {
            "count": self.count == count,
            "amount": self.amount_fen == amount_fen,
            "hash": self.sha256 == sha256,
        }
        return [name for name, agrees in declared.items() if not agrees]


def find_trailer(data: bytes | mmap.mmap) -> Trailer | None:
    """The trailer, if the last line that is not blank begins with its mark."""
    tail_start = max(0, len(data) - _LONGEST_TAIL)
    tail = data[tail_start:]
    at = tail.rfind(b"\n" + MARK) + 1
    if at == 0:
        return None
    line, _, rest = tail[at:].partition(b"\n")
    if rest.strip():
        return None  # rows follow it: an ordinary line, and a bad row
    start, tail_lines = tail_start + at, 1 + len(rest.splitlines())
    form = _FORM.fullmatch(line.strip())
    if form is None:
        return Trailer(start, tail_lines)
    return Trailer(start, tail_lines, int(form[1]), int(form[2]), form[3].decode().lower())
