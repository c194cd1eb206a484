from __future__ import annotations

from uuid import uuid4

from app.core.work import Runtime
from app.exchange import service
from tests.app.partner import World


def test_a_command_goes_to_its_partner_and_comes_back_answered(runtime: Runtime, world: World) -> None:
    subject = uuid4()
    with runtime.work() as work:
        command_id = service.command(
            work, world.party["H1"], "register", {"name": "张三"}, lane="registration", subject=subject
        )
    (handed,) = world.partner["H1"].poll()
    assert handed == {
        "id": str(command_id),
        "kind": "register",
        "lane": "registration",
        "seq": 1,
        "left_ms": None,
        "body": {"name": "张三"},
    }
    assert world.partner["H1"].poll() == []
    assert world.partner["H1"].answer(handed["id"], {"patient_no": "P1"}) == {
        "accepted": [str(command_id)],
        "ignored": [],
    }
    with runtime.work() as work:
        answer = service.answer(work, command_id)
    assert (answer.subject, answer.outcome, answer.body) == (subject, "done", {"patient_no": "P1"})
