"""How long a double thinks: always the same, or log-normal from a seed."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Mapping
from typing import Any


class Latency:
    """`{"kind": "fixed", "s"}` or `{"kind": "lognormal", "median_s", "sigma", "seed", "max_s"}`, in seconds."""

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.settings = dict(settings or {"kind": "fixed", "s": 0.0})
        if self.settings["kind"] not in ("fixed", "lognormal"):
            raise ValueError("latency is fixed or lognormal")
        self._random = random.Random(self.settings.get("seed", 0))
        self._lock = threading.Lock()

    def next_s(self) -> float:
        if self.settings["kind"] == "fixed":
            return float(self.settings["s"])
        median_s, sigma = float(self.settings["median_s"]), float(self.settings["sigma"])
        with self._lock:
            drawn = self._random.lognormvariate(math.log(median_s), sigma)
        return min(drawn, float(self.settings.get("max_s", math.inf)))
