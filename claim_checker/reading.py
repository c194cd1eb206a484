"""From bytes that anybody may have written to a value that everybody reads alike: file, decrypted part, keys.

Where the bytes of a file are no JSON any more, the part that was hit is named.
"""

from __future__ import annotations

import json
from typing import Any

HOLDERS = ("parts", "encrypted")  # the members that hold parts by name
FILE = "file"
DEPTH = 64  # nesting that no part comes near, and nobody's reader falls over


class Unreadable(Exception):
    """The file is not what a package's file is; `part` is where, `why` in English."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part, self.why = part, why


def read(raw: bytes) -> dict[str, Any]:
    """The package in a file, also where it stands as `package` in the body of a delivery."""
    try:
        found = parsed(raw)
    except UnicodeDecodeError as error:
        raise Unreadable(_part_at(raw[: error.start].decode()), "is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Unreadable(_part_at(error.doc[: error.pos]), "is not JSON") from error
    except ValueError as error:
        raise Unreadable(FILE, "holds what no package holds") from error
    if isinstance(found, dict) and "manifest" not in found and isinstance(found.get("package"), dict):
        found = found["package"]
    if not isinstance(found, dict):
        raise Unreadable(FILE, "is no package")
    return found


def parsed(raw: bytes) -> Any:
    """The JSON in `raw`, still to be asked for its `fault`. Raises ValueError."""
    try:
        return json.loads(raw.decode(), parse_constant=_refuse, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("nested without end") from error


def decrypted(name: str, raw: bytes) -> Any:
    """What stands in the decrypted part `name`; raises Unreadable."""
    try:
        found = parsed(raw)
    except ValueError as error:
        raise Unreadable(name, "is not JSON") from error
    if (why := fault(found)) is not None:
        raise Unreadable(name, why)
    return found


def fault(value: Any) -> str | None:
    """What JSON can write down and readers understand differently, or cannot hash: the first of it in this value."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEPTH:
            return f"is nested more than {DEPTH} deep"
        if isinstance(one, Twice):
            return "holds a member twice"
        if isinstance(one, str) and not _is_text(one):
            return "holds half a character"
        inner = [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting.extend((each, depth + 1) for each in inner)
    return None


def _is_text(text: str) -> bool:
    """JSON can write half of a surrogate pair, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)


class Twice(dict[str, Any]):
    """An object in which a member stood twice: readers would differ over what it says."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Twice(found)


def _part_at(text: str) -> str:
    """Which part the end of `text`, the sound beginning of a file, lies in."""
    path = [name for name in _path(text) if name is not None]
    if path[:1] == ["package"]:
        path = path[1:]
    if not path:
        return FILE
    return path[1] if path[0] in HOLDERS and len(path) > 1 else path[0]


def _path(text: str) -> list[str | None]:
    """The names of the members that are open at the end of `text`, outermost first; None for a list's element."""
    path: list[str | None] = []
    decoder, place, last = json.JSONDecoder(), 0, None
    while place < len(text):
        char = text[place]
        if char == '"':
            try:
                last, place = decoder.raw_decode(text, place)
            except json.JSONDecodeError:
                break  # the text ends inside this string
            continue
        if char in "{[":
            path.append(None)
        elif char in "}]" and path:
            path.pop()
        elif char == ":" and path:
            path[-1] = last
        place += 1
    return path
