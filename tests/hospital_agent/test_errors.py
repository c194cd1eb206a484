"""What others said in refusing is kept so that it can be passed on."""

from __future__ import annotations

from hospital_agent.errors import Refused


def test_a_refusal_holds_nothing_that_cannot_be_passed_on() -> None:
    said = Refused("NOT\x00\ud800FOUND", "查无\x00此人\udfff。😀")
    assert (said.code, said.message) == ("NOT_FOUND", "查无\ufffd此人\ufffd。😀")
    said.message.encode()
