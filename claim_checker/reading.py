"""From the bytes of a file to a package. Where the bytes are no JSON any more, the part that was hit is named."""

from __future__ import annotations

import json
from typing import Any

HOLDERS = ("parts", "encrypted")  # the members that hold parts by name
FILE = "file"


class Unreadable(Exception):
    """The file is not what a package's file is; `part` is where, `why` in English."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part, self.why = part, why


def read(raw: bytes) -> dict[str, Any]:
    """The package in a file, also where it stands as `package` in the body of a delivery."""
    try:
        found = json.loads(raw.decode(), parse_constant=_refuse, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise Unreadable(_part_at(raw[: error.start].decode()), "is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Unreadable(_part_at(error.doc[: error.pos]), "is not JSON") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(FILE, "holds what no package holds") from error
    if isinstance(found, dict) and "manifest" not in found and isinstance(found.get("package"), dict):
        found = found["package"]
    if not isinstance(found, dict):
        raise Unreadable(FILE, "is no package")
    return found


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
