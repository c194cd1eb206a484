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
    figure = Figure(figsize=(6.4, 2.8), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.18, 0.87, 0.77))
    names, counts = list(sets), list(sets.values())
    bars = axes.bar(names, counts, color=[_GREEN if name == AGREED else _RED for name in names])
    axes.bar_label(bars)
    axes.set_yscale("symlog")
    axes.set_ylim(0, max([*counts, 1]) * 3)
    axes.set_xlabel("set (H P I)")
    axes.set_ylabel("rows")
    png = io.BytesIO()
    canvas.print_png(png)
    return png.getvalue()
