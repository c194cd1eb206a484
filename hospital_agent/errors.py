"""The agent's errors.

AgentError
├── ConfigError        the agent's own files are wrong: mend and start again
│   └── MappingError
├── Refused            the other side said no and will say no again
└── Temporary          may succeed later under the same number
    ├── Unknown        sent, and nobody can say whether it was done: ask before sending again
    ├── Unsent         the request has certainly not left this machine
    └── AgentStops     the command stays in the store; the next life of the agent takes it up
BadValue (ValueError)  a value of the source that cannot become ours; the row is reported, never guessed
"""

from __future__ import annotations

import re

_NOT_A_CODE = re.compile(r"[^A-Za-z0-9_.\-]+", re.ASCII)
# The exchange takes no NUL, and half a surrogate pair is no character.
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


class AgentError(Exception):
    """Any failure that the agent expects."""


class ConfigError(AgentError):
    """The configuration cannot be used; the text says what to mend."""


class MappingError(ConfigError):
    """The mapping file cannot be used; the text says which entity and field."""


class Refused(AgentError):
    """A final refusal with the other side's stable code and its message for people."""

    def __init__(self, code: str, message: str = "", *, status: int = 0) -> None:
        self.code = _NOT_A_CODE.sub("_", code)[:64] or "refused"
        self.message, self.status = _NO_TEXT.sub("\ufffd", message)[:200], status
        super().__init__(self.code)


class Temporary(AgentError):
    """A failure that may pass. `retry_after_s` is what the other side asked for, 0 when it said nothing."""

    def __init__(self, code: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(code)
        self.code, self.retry_after_s = code, retry_after_s


class Unknown(Temporary):
    """The request left this machine and no answer came back."""


class Unsent(Temporary):
    """Nobody was there to send it to."""


class AgentStops(Temporary):
    """The agent ends while a command waits for something."""


class BadValue(ValueError):
    """A source value that does not fit its field. The text names the rule, never the value."""
