"""How many examples hypothesis tries.

A usual run tries 100 of what is computed in memory, 25 where each takes a request or a file (`costly`), and 6 where
each is a long sequence of requests (`sequences`, for state machines).
By hand, before a release or after a change of rules: HYPOTHESIS_PROFILE=long ./script/test tries twenty times as many.
A busy machine is no bug, so no example has a deadline.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("usual", max_examples=100, deadline=None)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

costly = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
sequences = settings(
    max_examples=settings().max_examples // 16, stateful_step_count=25, suppress_health_check=list(HealthCheck)
)
