"""The seven sets as a picture. ASCII only: Pillow's own font has little else."""

from __future__ import annotations

import io
from collections.abc import Mapping
from math import log1p

from PIL import Image, ImageDraw, ImageFont

AGREED = "111"
_GREEN, _RED, _BLACK, _WHITE = "#2e7d32", "#c62828", "#000000", "#ffffff"
# Twice as large as it is shown, for sharp screens.
_WIDTH_PX, _HEIGHT_PX, _BASE_PX, _TOP_PX, _EDGE_PX, _FONT_PX = 1280, 520, 452, 60, 40, 30


def sets_png(sets: Mapping[str, int]) -> bytes:
    """A bar for each set (presence at hospital, platform, insurer), PNG. Few differences stay visible beside many rows
    that agree: the scale is logarithmic."""
    image = Image.new("RGB", (_WIDTH_PX, _HEIGHT_PX), _WHITE)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(_FONT_PX)
    step_px = (_WIDTH_PX - 2 * _EDGE_PX) / len(sets)
    scale = (_BASE_PX - _TOP_PX) / log1p(max([*sets.values(), 1]))
    for place, (name, count) in enumerate(sets.items()):
        middle, top = _EDGE_PX + (place + 0.5) * step_px, _BASE_PX - scale * log1p(count)
        if count:
            draw.rectangle((middle - 0.4 * step_px, top, middle + 0.4 * step_px, _BASE_PX), _colour(name))
        draw.text((middle, top - 8), f"{count:,}", _BLACK, font, anchor="mb")
        draw.text((middle, _BASE_PX + 14), _present(name), _BLACK, font, anchor="mt")
    draw.line((_EDGE_PX // 2, _BASE_PX, _WIDTH_PX - _EDGE_PX // 2, _BASE_PX), _BLACK, 3)
    png = io.BytesIO()
    image.save(png, "PNG")
    return png.getvalue()


def _colour(name: str) -> str:
    return _GREEN if name == AGREED else _RED


def _present(name: str) -> str:
    """ "110" -> "H P -"."""
    return " ".join(letter if mark == "1" else "-" for letter, mark in zip("HPI", name, strict=True))
