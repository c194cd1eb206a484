"""`script/chaos callbacks [--claims N] [--seed S] [--json]`: messages forged, doubled, late and out of order.

The product with the doubles of an insurer, a bank and WeChat Pay, and a hospital's program. Between them stands a post
office. Of each message it first delivers forgeries (altered, another key, six minutes old, WeChat Pay's SIGNTEST) and
what another partner of the same kind says of it; then it holds the message back until its sender tries again, or
delivers it and keeps the answer, repeats it byte for byte, under a new id, and its id with another content. Between
the steps of the claims, and at the end, everything so far is said once more in any order. What befalls the n-th message
of a kind is seeded.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.ground import arguments, load, report, tell
from chaos import effects
from chaos.letters import Keys
from chaos.post_office import FORGED, PostOffice
from chaos.streets import opened
from tests.app.claim.test_documents import PAPER
from tests.app.partner import batch
from tests.app.town import Insured, Town, bill_rows

TRIES = 20
RETURNING = "6222021234567890136"  # a card that sends money back


@dataclass(frozen=True)
class Wanted:
    claims: int = 60
    seed: int = 1


@dataclass
class Case:
    """One patient with a claim, and how its payout is to end: paid, or accepted again because the bank returned it."""

    who: Insured
    payee: dict[str, Any]
    expected: str
    claim_id: str = ""


@dataclass
class Play:
    town: Town
    post: PostOffice
    cases: list[Case] = field(default_factory=list)

    def send(self, code: str, path: str, body: Any, message_id: str) -> None:
        """As a partner does: again under the same id until it is taken."""
        for _ in range(TRIES):
            if self.town.agent(code).post(path, body, message_id=message_id).status_code < 300:
                return
        raise SystemExit(f"{path} was not taken in {TRIES} tries")

    def push(self, rows: list[dict[str, Any]]) -> None:
        number = self.town.batch_nos["H1"] = self.town.batch_nos.get("H1", 0) + 1
        self.send("H1", "/batches", batch(number, "record", rows), f"batch-{number}")
        self.town.drain_all("record.apply")

    def bind(self) -> None:
        """Somebody binds himself, and the hospital answers who that is."""
        clinic = self.town.clinic
        answer = clinic.claim(clinic.log_in())
        assert answer.status_code == 202, answer.get_json()
        for command in self.town.agent("H1").poll(lanes=["identity"]):
            said = {"id": command["id"], "outcome": "done", "body": {"patient_no": None}}
            self.send("H1", "/commands/answers", {"answers": [said]}, f"answer-{command['id']}")
        self.town.drain_all("identity.hospital_answered")

    def submit(self, number: int) -> None:
        """Records in two versions, then the claim."""
        case = _case(self.town, number)
        town, who, key = self.town, case.who, f"C{number}"
        terms: dict[str, Any] = {"asks_documents": [{"kind": "invoice", "text": "发票原件"}]} if number % 3 == 1 else {}
        town.policy(who, **terms)
        for version in (1, 2):
            self.push(bill_rows(key, who.patient_no, (6_000, 4_000), version=version))
        case.claim_id = town.claim(who, [town.bill_id(key)], payee=case.payee)
        self.cases.append(case)

    def finish(self) -> None:
        """Patients send what is asked for, accept, and confirm in WeChat, until nothing more happens."""
        self.town.settle_down()
        for status, act in (("needs_documents", self._send_documents), ("approved", self._accept)):
            for case in self.cases:
                if self.town.status(case.claim_id) == status:
                    act(case)
            self.post.empty_the_attic()  # a question that was answered is asked once more, before anybody decides
            self.town.settle_down()
        for case in self.cases:
            self._confirm(case)
        ends_s = time.monotonic() + 60
        while self.unfinished() and time.monotonic() < ends_s:
            self.town.settle_down()

    def unfinished(self) -> int:
        return sum(self.town.status(case.claim_id) != case.expected for case in self.cases)

    def _send_documents(self, case: Case) -> None:
        case.who.post(f"/claims/{case.claim_id}/documents", {"documents": [PAPER | {"kind": "invoice"}]})

    def _accept(self, case: Case) -> None:
        case.who.post(f"/claims/{case.claim_id}/accept")

    def _confirm(self, case: Case) -> None:
        for payout in case.who.get(f"/payouts?claim_id={case.claim_id}")["items"]:
            if payout["confirm"]:
                body = {"user": case.who.patient.user, "package_info": payout["confirm"]["package"]}
                self.town.wechat.app.test_client().post("/__mock__/phone/confirm_transfer", json=body)


def _case(town: Town, number: int) -> Case:
    who = town.insured()
    if number % 2:
        return Case(who, {"kind": "wechat"}, "paid")
    if number % 6 == 4:
        card = {"account": RETURNING, "name": who.name, "state": "returns"}
        town.bank.app.test_client().post("/__mock__/cards", json=[card])
        return Case(who, {"kind": "bank", "bank_account": RETURNING}, "accepted")
    return Case(who, {"kind": "bank", "bank_account": "6222021234567890128"}, "paid")


def keys_of(town: Town) -> Keys:
    world = town.clinic.world
    hospitals, insurers = [one["agent"] for one in world["hospitals"]], world["insurers"]
    programs = [*hospitals, *insurers, world["bank"]]
    peers = {
        one["partner"]: other["partner"]
        for same in (hospitals, insurers)
        for one, other in zip(same, same[::-1], strict=True)
    }
    return Keys({one["partner"]: one["secret"] for one in programs}, peers, town.wechat.ground.merchants)


def play(town: Town, wanted: Wanted) -> dict[str, object]:
    application, started = town.clinic.client.application, time.monotonic()
    inside = application.wsgi_app
    post = PostOffice(inside, keys_of(town), wanted.seed)
    application.wsgi_app = post  # type: ignore[method-assign]
    try:
        playing = Play(town, post)
        for number in range(wanted.claims):
            playing.bind()
            playing.submit(number)
        report(f"{wanted.claims} claims submitted")
        playing.finish()
        post.empty_the_attic()
        town.settle_down()
    finally:
        application.wsgi_app = inside  # type: ignore[method-assign]
    return _counted(playing, wanted) | {"took_s": round(time.monotonic() - started, 1), "load": load()}


def _counted(playing: Play, wanted: Wanted) -> dict[str, object]:
    post, found = playing.post, effects.doubled(playing.town)
    kinds = Counter(letter.kind for letter in post.tape)
    return {
        "name": "callbacks",
        "seed": wanted.seed,
        "claims": wanted.claims,
        "unfinished": playing.unfinished(),
        "messages": post.letters,
        "sent": dict(sorted(post.sent.items())),
        "taken_by_kind": dict(sorted(kinds.items())),
        "forged": sum(post.sent[how] for how in FORGED),
        "forged_taken": sum(post.taken[how] for how in FORGED),
        "answered_wrongly": dict(post.wrong),
        "double_effects": sum(found.values()),
        "doubled": {name: number for name, number in found.items() if number},
        "backwards": effects.backwards(playing.town),
        "dead_tasks": len(playing.town.dead()),
        "naive": effects.naive(post.tape),
    }


def run(wanted: Wanted) -> dict[str, object]:
    with opened() as town:
        return play(town, wanted)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--claims", type=int, default=Wanted.claims)
    parser.add_argument("--seed", type=int, default=Wanted.seed)
    given = parser.parse_args()
    result = run(Wanted(given.claims, given.seed))
    tell(result, json_alone=given.json)
    wrong = ("unfinished", "forged_taken", "answered_wrongly", "double_effects", "backwards", "dead_tasks")
    if any(result[name] for name in wrong):
        sys.exit(1)


if __name__ == "__main__":
    main()
