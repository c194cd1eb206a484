"""The picture shows each set by a bar whose height grows with its count."""

from __future__ import annotations

import io

from PIL import Image

from app.reconciliation.report.chart import sets_png

GREEN, RED, WHITE = (0x2E, 0x7D, 0x32), (0xC6, 0x28, 0x28), (255, 255, 255)
SETS = {"111": 12_345_678, "110": 3, "101": 0, "100": 12, "011": 1, "010": 0, "001": 1_234_250}


def heights(png: bytes) -> list[tuple[int, set[object]]]:
    """Pixels of colour in each bar, beside the figures, and which colours."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    step = (image.width - 80) / len(SETS)
    columns = [int(40 + (place + 0.12) * step) for place in range(len(SETS))]
    found: list[list[object]] = [[image.getpixel((x, y)) for y in range(image.height)] for x in columns]
    return [(sum(one in (GREEN, RED) for one in column), set(column) & {GREEN, RED}) for column in found]


def test_a_bar_for_each_set_small_ones_too() -> None:
    bars = dict(zip(SETS, heights(sets_png(SETS)), strict=True))
    assert {name for name, (height, _) in bars.items() if not height} == {"101", "010"}
    by_count = sorted(SETS, key=lambda name: SETS[name])
    assert sorted(by_count, key=lambda name: bars[name][0]) == by_count
    assert (bars["111"][1], bars["001"][1]) == ({GREEN}, {RED})


def test_nothing_at_all_is_a_picture_too() -> None:
    assert all(height == 0 for height, _ in heights(sets_png(dict.fromkeys(SETS, 0))))
