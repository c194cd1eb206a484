"""What one worker process has at hand: made once, after any fork, and kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

from app.core.log import configure_log
from app.core.settings import Settings
from app.core.tasks import Lease
from app.core.work import Runtime
from app.gateways import Gateways
from app.wiring import make_gateways, make_runtime
from workers.bell import Bell
from workers.routes import ROUTES


@dataclass
class Context:
    runtime: Runtime
    gateways: Gateways
    bell: Bell
    lease: Lease


def context() -> Context:
    """This process's context; a forked child makes its own."""
    return _context(os.getpid())


@lru_cache(maxsize=1)
def _context(_pid: int) -> Context:
    settings = Settings()
    configure_log(settings.log_level)
    bell = Bell(settings.redis_url)
    runtime = make_runtime(settings, routes=ROUTES, ring=bell)
    return Context(runtime, make_gateways(settings), bell, Lease(settings.database_url))
