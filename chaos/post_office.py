"""A post office in front of the product: what partners send is forged, doubled, held back, answered by silence, and
long afterwards said again in any order."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from chaos.letters import EXCHANGE, PATHS, WECHAT, Keys, Letter

Wsgi = Callable[[Any, Any], Iterable[bytes]]
FORGED = frozenset({"altered", "stranger", "unsigned", "too_old", "signtest", "other_merchant"})


class PostOffice:
    """`sent` counts letters by what was done to them, `tape` has those that the product took, in order. The mischief of
    the n-th letter of a kind depends on the seed alone."""

    def __init__(self, inside: Wsgi, keys: Keys, seed: int) -> None:
        self._inside, self._keys, self._seed = inside, keys, seed
        self._client = Client(inside, Response, use_cookies=False)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._kinds: Counter[str] = Counter()
        self._attic: list[Letter] = []
        self._emptied = 0
        self.sent: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.tape: list[Letter] = []

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if not path.startswith(WECHAT) and path.removeprefix(EXCHANGE) not in PATHS:
            return self._inside(environ, start_response)
        request = Request(environ)
        letter = Letter(path, dict(request.headers), request.get_data(as_text=True))
        return self._deal(letter)(environ, start_response)

    @property
    def letters(self) -> int:
        """How many different ones the partners have sent."""
        return len(self._known)

    def empty_the_attic(self) -> None:
        """Everything so far once more, after its time, in any order."""
        with self._lock:
            self._emptied += 1
            late = list(self._attic)
        random.Random(f"{self._seed}/attic/{self._emptied}").shuffle(late)
        for letter in late:
            self._deliver(self._keys.renewed(letter), "out_of_order")

    def _deal(self, letter: Letter) -> Response:
        with self._lock:
            is_new = letter.id not in self._known
            self._known.add(letter.id)
            if is_new:
                self._kinds[letter.kind] += 1
                self._attic.append(letter)
            number = self._kinds[letter.kind]
        if not is_new:
            return self._deliver(letter, "tried_again")
        pick = random.Random(f"{self._seed}/{letter.kind}/{number}")
        for how, forged in self._keys.forgeries(letter):
            self._deliver(forged, how)
        if (impostor := self._keys.impostor(letter)) is not None:
            self._deliver(impostor, "impostor")
        fate = pick.choice(["honest", "late", "answer_lost"])
        if fate == "late":
            return self._silence("late")
        answer = self._deliver(letter, fate)
        self._repeat(letter, pick)
        return answer if fate == "honest" else self._silence("")

    def _repeat(self, letter: Letter, pick: random.Random) -> None:
        for _ in range(pick.randint(1, 3)):
            self._deliver(letter, "doubled")
        self._deliver(self._keys.renewed(letter), "renewed")
        if (other := self._keys.other_content(letter)) is not None:
            self._deliver(other, "id_reused")

    def _deliver(self, letter: Letter, how: str) -> Response:
        answer = self._client.post(letter.path, data=letter.body.encode(), headers=dict(letter.headers))
        with self._lock:
            self.sent[how] += 1
            if answer.status_code < 300:
                self.taken[how] += 1
                self.tape.append(letter)
            if _is_wrong(how, answer.status_code):
                self.wrong[f"{how}_{answer.status_code}"] += 1
        return answer

    def _silence(self, how: str) -> Response:
        """As if the letter, or the answer to it, were on its way for ever: its sender will try again."""
        if how:
            self.sent[how] += 1
        return Response(status=503)


def _is_wrong(how: str, status: int) -> bool:
    if how in FORGED:
        return status != 401
    return status != 409 if how == "id_reused" else status >= 500
