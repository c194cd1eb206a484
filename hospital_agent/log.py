"""Logging as JSON lines on standard error, without personal data.

Only named fields are written and never an exception's text, since a driver's text may carry a patient's values.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_logger = logging.getLogger("hospital_agent")


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage(), **fields}
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level)
    _logger.propagate = False


def info(event: str, **fields: object) -> None:
    _logger.info(event, extra={"fields": fields})


def warning(event: str, **fields: object) -> None:
    _logger.warning(event, extra={"fields": fields})


def failure(event: str, error: BaseException, **fields: object) -> None:
    """An unexpected error: its type and place, not its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    code = getattr(error, "code", None)
    if isinstance(code, str):
        fields["code"] = code
    _logger.error(event, extra={"fields": {**fields, "error": type(error).__name__, "place": place}})
