from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notification import rules
from mock_wechat.account.fields import check_fields

NOW = datetime(2026, 11, 21, 16, 5, tzinfo=UTC)
FILLED = ("thing1", "thing2", "thing3", "time4", "date5", "phrase6", "character_string7", "const8", "short_thing9")


@given(
    template=st.sampled_from(sorted(rules.TEMPLATES)),
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip),
)
def test_every_field_fits_its_type(template: str, text: str) -> None:
    params = {"no": "CL2026112100000000019", "time": text, "reason": text, "what": text, "until": "11-22 08:15"}
    data = rules.wechat_data(template, params, NOW, FILLED)
    check_fields({name: {"value": value} for name, value in data.items()}, list(FILLED))


def test_what_a_notice_is_about_is_not_cut_off() -> None:
    """A claim's number differs from the next one's at its end, and the hour is the end of an appointment's time."""
    data = rules.wechat_data("claim_decided", {"no": "CL2026112100000000019"}, NOW)
    assert data["thing2"].endswith("2026112100000000019")
    assert rules.wechat_data("appointment_booked", {"time": "2026-11-21 08:30"}, NOW)["thing2"].endswith("08:30")
    long = rules.wechat_data("appointment_refused", {"reason": "号源已停，请选择其他时间，或联系医院的窗口办理"}, NOW)
    assert long["thing2"].startswith("号源已停") and long["thing2"].endswith("…")


def test_times_are_shanghais() -> None:
    assert rules.wechat_data("registered", {}, NOW)["time3"] == "2026-11-22 00:05"


@pytest.mark.parametrize("field", ["amount1", "phone_number2", "car_number3", "Thing1", "", "number1"])
def test_a_field_that_no_notice_can_fill_is_named(field: str) -> None:
    with pytest.raises(rules.UnfitField):
        rules.wechat_data("registered", {}, NOW, (field,))


def test_an_sms_takes_no_parameters_and_every_message_has_one() -> None:
    """Whoever WeChat cannot reach is told all the same."""
    assert all(template.sms for template in rules.TEMPLATES.values())


def test_a_parameter_is_no_format() -> None:
    assert rules.in_words("claim_decided", {"no": "{0.__class__}"})[1] == "{0.__class__}"


@pytest.mark.parametrize(
    ("kind", "event", "key", "begin"),
    [
        ("event", "subscribe", "qrscene_1", "欢迎"),
        ("event", "CLICK", "claim", "商保理赔"),
        ("event", "CLICK", "商保理赔", "商保理赔"),
        ("event", "CLICK", "something", "请从菜单"),
        ("text", "", "", "请从菜单"),
    ],
)
def test_what_is_replied(kind: str, event: str, key: str, begin: str) -> None:
    assert (rules.reply(kind, event, key, "https://x") or "").startswith(begin)


@pytest.mark.parametrize("event", ["unsubscribe", "VIEW", "TEMPLATESENDJOBFINISH", "SCAN"])
def test_some_pushes_are_only_taken(event: str) -> None:
    assert rules.reply("event", event, "", "https://x") is None
