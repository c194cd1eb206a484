"""Every error the product raises on purpose.

Problem                 something to tell the caller: stable code, HTTP status, Chinese message
├── Unauthorised (401)  ├── Forbidden (403)   ├── NotFound (404)
├── Conflict (409)      ├── Invalid (422)     ├── Throttled (429)
├── Unavailable (503)   ├── Unreadable (415)
└── LostRace (409)      a row was not in the state that the event needs
PartnerFault            a partner failed: temporary, permanent, or unknown (it may have happened)
TryLater                a task is not done yet, and that is no failure
Fenced                  this worker's task was taken over; its work must not be committed
CommitUnknown           the database did not say whether the commit happened: look before repeating
Tampered                a check field or an encrypted field does not fit its row
"""

from __future__ import annotations

from collections.abc import Iterable


class Problem(Exception):
    """A refusal to tell the caller. `message` is Chinese, for people, and never repeats what they sent."""

    status = 400

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: dict[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.message = code, message
        self.fields, self.retry_after_s = fields or {}, retry_after_s


class Unauthorised(Problem):
    status = 401


class Forbidden(Problem):
    status = 403


class NotFound(Problem):
    """Also for what exists but belongs to another: the answer must not tell the two apart."""

    status = 404

    def __init__(self, code: str = "not_found", message: str = "没有找到这条记录") -> None:
        super().__init__(code, message)


class Conflict(Problem):
    status = 409


class Unreadable(Problem):
    """What was sent is in a form that we do not read."""

    status = 415


class Invalid(Problem):
    status = 422


class Throttled(Problem):
    status = 429


class Unavailable(Problem):
    status = 503


class LostRace(Conflict):
    """Some rows were not in a state that allows the event; `ids` names them."""

    def __init__(self, machine: str, event: str, ids: Iterable[object]) -> None:
        super().__init__("state_changed", "状态已经变化，请刷新后再试")
        self.machine, self.event, self.ids = machine, event, tuple(ids)

    def __str__(self) -> str:
        return f"{self.machine} cannot {self.event}: {len(self.ids)} rows"


NOT_REACHED = "not_reached"


class PartnerFault(Exception):
    """A partner did not do what was asked. `permanent`: asking again is useless. `unknown`: it may have been done."""

    def __init__(self, partner: str, code: str, *, permanent: bool = False, unknown: bool = False) -> None:
        super().__init__(f"{partner}: {code}")
        self.partner, self.code, self.permanent, self.unknown = partner, code, permanent, unknown

    @property
    def is_answer(self) -> bool:
        """Whether the partner itself said so, if only that this caller may not ask."""
        return not self.unknown and self.code != NOT_REACHED


class TryLater(Exception):
    """A task has to wait: it is due again after `delay_s`, and the try does not count."""

    def __init__(self, delay_s: float) -> None:
        super().__init__()
        self.delay_s = delay_s


class Fenced(Exception):
    """Another worker has taken the task over."""


class CommitUnknown(Exception):
    """The connection broke at COMMIT. Seven of eight such commits had in fact happened."""


class Tampered(Exception):
    """A row was changed behind the program's back; `where` names table, column and row."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where
