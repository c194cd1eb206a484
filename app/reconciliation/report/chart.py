"""The seven sets as a picture. Latin letters and digits only: the font of the picture has no Chinese characters."""

from __future__ import annotations

import io
from collections.abc import Mapping

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

AGREED = "111"
_GREEN, _RED = "#2e7d32", "#c62828"


def sets_png(sets: Mapping[str, int]) -> bytes:
    """A bar for each set (presence at hospital, platform, insurer), PNG. Few differences stay visible beside many rows
    that agree: the scale is logarithmic."""
    figure = Figure(figsize=(6.4, 2.6), dpi=200)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.01, 0.13, 0.98, 0.84))
    bars = axes.bar(
        [_present(name) for name in sets],
        list(sets.values()),
        color=[_GREEN if name == AGREED else _RED for name in sets],
    )
    axes.bar_label(bars, labels=[f"{count:,}" for count in sets.values()], padding=2)
    axes.set_yscale("symlog")
    axes.set_ylim(0, max([*sets.values(), 1]) * 3)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.yaxis.set_visible(False)  # every bar carries its number
    axes.tick_params(axis="x", length=0)
    png = io.BytesIO()
    canvas.print_png(png)
    return png.getvalue()


def _present(name: str) -> str:
    """ "110" -> "H P –"."""
    return " ".join(letter if mark == "1" else "–" for letter, mark in zip("HPI", name, strict=True))
