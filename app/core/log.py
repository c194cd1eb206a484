"""Structured logs, one JSON object a line, with personal data masked whatever somebody passes in."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(
    r"[1-9][0-9]{16}[0-9Xx](?![0-9])"  # identity number
    r"|(?<![0-9])1[3-9][0-9]{9}(?![0-9])"  # mobile phone
    r"|(?<![0-9])62[0-9]{14,17}(?![0-9])"  # bank card
    r"|(?:access_token|secret|session_key|authorization)=[^&\s\"']+"
    r"|whsec_[A-Za-z0-9+/=]+"
    r"|\b(?:DETAIL|CONTEXT): [^\n]*"  # PostgreSQL quotes rows there
    r"|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",  # a JWT
    re.IGNORECASE,
)


def mask_secrets(text: str) -> str:
    return _SECRET.sub("***", text)


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: mask_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def configure_log(level: str = "INFO") -> None:
    """Send structlog and the standard library's records to standard error as JSON lines. Call once per process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # httpx writes whole URLs, and WeChat's access token stands in its URLs by protocol.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def get_log(name: str) -> Any:
    return structlog.stdlib.get_logger(name)
