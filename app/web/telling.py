"""Commands of `flask --app wsgi`: a server that does not answer is told in a line, not in a traceback."""

from __future__ import annotations

from typing import Any

import click
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError


class Telling(click.Group):
    """A group whose commands stand on the database and on Redis."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OperationalError as error:
            name = type(error.orig).__name__
            raise click.ClickException(
                f"the database does not answer ({name}): check that DATABASE_URL names it and that it runs"
            ) from error
        except RedisError as error:
            raise click.ClickException(
                f"Redis does not answer ({type(error).__name__}): check that REDIS_URL names it and that it runs"
            ) from error
