"""Notices on their way to WeChat, SMS and mail."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from app.core.errors import LostRace
from app.core.letters import File, Letter
from app.notification import calls, service
from app.notification.rules import TEMPLATES
from app.web.site import Site
from tests.app.notification.kit import notice, shown, tell, texts
from tests.app.patients import House

SEND = r"/cgi-bin/message/template/send"
PARAMS = {
    "no": "CL2026112100000000019",
    "time": "2026-11-22 09:00",
    "until": "11-22 08:15",
    "reason": "医生停诊，号源已取消，请另行选择其他医生就诊",
    "what": "挂号费",
}


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_message_reaches_a_follower(house: House, template: str) -> None:
    patient = house.known()
    notice_id = tell(house, patient, template, **PARAMS)
    house.drain_all("notification.deliver")
    row = notice(house, notice_id)
    assert (row.status, row.refused_code) == ("delivered", None)
    assert row.provider_no
    (message,) = house.until(lambda: shown(house, patient))
    assert message["data"]["thing1"] == TEMPLATES[template].title
    assert len(message["data"]["thing2"]) <= 20


def test_an_event_that_is_told_twice_is_one_message(house: House) -> None:
    patient = house.known()
    assert tell(house, patient, dedupe="once") == tell(house, patient, dedupe="once")
    house.drain_all("notification.deliver")
    assert len(house.until(lambda: shown(house, patient))) == 1


@pytest.mark.parametrize("tries", [0, 1], ids=["written", "tried once"])
def test_who_is_bound_no_more_when_it_is_delivered_is_not_told(house: House, tries: int) -> None:
    patient = house.known()
    notice_id = tell(house, patient, person_id=patient.person_id)
    if tries:
        house.wechat.fail(SEND, status=200, body={"errcode": -1, "errmsg": "system error"})
        house.drain_all("notification.deliver")
        assert notice(house, notice_id).status == "retrying"
    [bound] = patient.get("/bindings").get_json()["bindings"]
    assert patient.post(f"/bindings/{bound['id']}/revoke").status_code == 200
    house.drain_all("notification.deliver", hurry=True)
    row = notice(house, notice_id)
    assert (row.status, row.refused_code, row.tries) == ("dead", "unbound", tries)
    assert not shown(house, patient) and not texts(house, patient)
    with house.runtime.work() as work:
        service.replay(work, notice_id)
    house.drain_all("notification.deliver")
    assert notice(house, notice_id).status == "dead"


def test_a_missing_parameter_shows_where_it_is_written(house: House) -> None:
    with pytest.raises(KeyError):
        tell(house, house.known(), "claim_decided")


def test_a_template_with_fields_of_its_own_gets_them(house: House) -> None:
    patient = house.known()
    fields = ["thing4", "character_string2", "date3", "phrase5", "thing9"]
    app = house.wechat.ground.apps[house.app_id()]
    stored = "SELECT templates FROM wechat_app WHERE app_id = :app_id"
    before = house.value(stored, app_id=app.app_id)
    change = "UPDATE wechat_app SET templates = CAST(:templates AS jsonb) WHERE app_id = :app_id"
    own = {"id": "own-template", "fields": fields}
    app.templates["claim_decided"] = own
    house.rows(change, templates=json.dumps(before | {"claim_decided": own}), app_id=app.app_id)
    try:
        tell(house, patient, "claim_decided", **PARAMS)
        house.drain_all("notification.deliver")
    finally:
        app.templates["claim_decided"] = before["claim_decided"]
        house.rows(change, templates=json.dumps(before), app_id=app.app_id)
    (message,) = house.until(lambda: shown(house, patient))
    assert sorted(message["data"]) == sorted(fields)
    assert message["data"]["character_string2"] == PARAMS["no"]
    assert message["data"]["phrase5"] == "已核赔"


@pytest.mark.parametrize("why", ["not a follower", "template refused", "no such template", "wrong openid"])
def test_whom_wechat_cannot_reach_gets_an_sms(house: House, why: str) -> None:
    patient = house.known(follows=why != "not a follower")
    if why == "template refused":
        template_id = house.wechat.ground.apps[house.app_id()].templates["registered"]
        house.wechat.settings.template_refusals = {template_id: 43116}
    elif why == "no such template":
        house.wechat.fail(SEND, status=200, body={"errcode": 40037, "errmsg": "invalid template_id"})
    elif why == "wrong openid":
        house.wechat.fail(SEND, status=200, body={"errcode": 40003, "errmsg": "invalid openid"})
    notice_id = tell(house, patient)
    house.drain_all("notification.deliver")
    code = {"not a follower": "43004", "template refused": "43116", "no such template": "40037"}.get(why, "40003")
    row = notice(house, notice_id)
    assert (row.status, row.refused_code) == ("dead", code)
    assert texts(house, patient) == ["SMS_REGISTERED"]
    (sent,) = [one for one in house.sms.messages if one["phone"] == patient.phone]
    assert sent["params"] == {}


def test_a_mini_programs_user_without_a_subscription_gets_an_sms(house: House) -> None:
    patient = house.known(kind="mini")
    tell(house, patient)
    house.drain_all("notification.deliver")
    assert texts(house, patient) == ["SMS_REGISTERED"]


def test_a_message_that_wechat_could_not_deliver_goes_by_sms(house: House) -> None:
    """WeChat took it, and says afterwards that the user blocks the account."""
    patient = house.known()
    app = house.wechat.ground.apps[house.app_id()]
    house.wechat.people.save({**house.wechat.people.get(patient.user), "blocks": [app.app_id]})
    notice_id = tell(house, patient)
    house.drain_all("notification.deliver")
    house.until(lambda: _finished(house, notice_id))
    house.drain_all("notification.job_finished", "notification.deliver")
    row = notice(house, notice_id)
    assert (row.status, row.refused_code) == ("dead", "failed:user block")
    assert texts(house, patient) == ["SMS_REGISTERED"]


def _finished(house: House, notice_id: object) -> object:
    number = notice(house, notice_id).provider_no  # type: ignore[arg-type]
    return house.value("SELECT count(*) FROM task WHERE args ->> 'msgid' = :number", number=number)


def test_wechats_word_may_be_faster_than_its_answer(house: House) -> None:
    patient = house.known()
    args = {"app_id": house.app_id(), "msgid": "777", "status": "failed:user block"}
    until = int(datetime.now(UTC).timestamp()) + 60
    with house.runtime.work() as work:
        work.later("notification.job_finished", None, args=args | {"until": until})
    house.drain_all("notification.job_finished")
    notice_id = tell(house, patient)
    with house.runtime.work() as work:
        service.delivered(work, notice_id, "777")
    house.drain_all("notification.job_finished", hurry=True)
    assert notice(house, notice_id).status == "dead"
    assert not house.value("SELECT count(*) FROM task WHERE args ->> 'msgid' = '777'")


def test_an_account_says_nothing_about_anothers_messages(house: House) -> None:
    notice_id = tell(house, house.known("H1"))
    with house.runtime.work() as work:
        service.delivered(work, notice_id, "888")
        assert not service.job_finished(work, house.app_id("H2"), "888", "failed: system failed")
    assert notice(house, notice_id).status == "delivered"


def test_a_temporary_failure_is_tried_again_and_is_still_one_message(house: House) -> None:
    patient = house.known()
    house.wechat.fail(SEND, status=200, body={"errcode": -1, "errmsg": "system error"})
    house.wechat.fail(SEND, drop="after")
    notice_id = tell(house, patient)
    seen = []
    for _ in range(3):
        house.drain_all("notification.deliver", hurry=True)
        seen.append(notice(house, notice_id).status)
    assert seen == ["retrying", "retrying", "delivered"]
    assert notice(house, notice_id).tries == 2
    assert len(house.until(lambda: shown(house, patient))) == 1
    assert texts(house, patient) == []


def test_after_the_last_try_it_is_dead_told_by_sms_and_can_be_replayed(house: House) -> None:
    patient = house.known()
    fault = house.wechat.fail(SEND, status=503, times=-1)
    notice_id = tell(house, patient)
    for _ in range(calls.MAX_TRIES):
        house.drain_all("notification.deliver", hurry=True)
    assert notice(house, notice_id).status == "dead"
    assert texts(house, patient) == ["SMS_REGISTERED"]
    fault.times = 0
    with house.runtime.work() as work:
        service.replay(work, notice_id)
    house.drain_all("notification.deliver")
    assert notice(house, notice_id).status == "delivered"
    with pytest.raises(LostRace), house.runtime.work() as work:
        service.replay(work, notice_id)


def test_an_sms_is_sent_once_although_its_answer_is_lost(house: House) -> None:
    house.sms.fail("/v1/messages", drop="after")
    phone = house.known().phone
    with house.runtime.work() as work:
        service.text(work, phone, "SMS_RECONCILIATION", {"date": "2026-11-21"}, uuid.uuid4().hex)
    house.drain_all("notification.deliver", hurry=True)
    house.drain_all("notification.deliver", hurry=True)
    assert [m["template_id"] for m in house.sms.messages if m["phone"] == phone] == ["SMS_RECONCILIATION"]


def test_a_letter_goes_with_its_pictures(house: House) -> None:
    letter = Letter(["ops@example.com"], uuid.uuid4().hex, '<img src="cid:c">', [File("c", "image/png", b"png")])
    with house.runtime.work() as work:
        service.mail(work, letter, letter.subject)
        service.mail(work, letter, letter.subject)
    house.drain_all("notification.deliver")
    (sent,) = [one for one in house.mail.messages if one["subject"] == letter.subject]
    assert sent["inline"][0]["cid"] == "c"


def test_nothing_personal_stands_in_the_open(house: House) -> None:
    """Not in the row, not in the task; and every decryption has an entry."""
    patient = house.known(follows=False)
    notice_id = tell(house, patient)
    house.drain_all("notification.deliver")
    rows = house.rows("SELECT n::text FROM notice n UNION ALL SELECT t::text FROM task t")
    assert not [row for row in rows if patient.phone in row[0]]
    read = "SELECT count(*) FROM audit_entry WHERE subject_id = :id AND action = 'read.notice.content_sealed'"
    assert house.value(read, id=notice_id) == 1


def test_the_list_of_notices_is_the_patients_own(house: House) -> None:
    patient, stranger = house.known(), house.known()
    for number in range(3):
        tell(house, patient, "claim_decided", no=f"CL{number}")
    page = patient.get("/notices?limit=2").get_json()
    assert [item["text"] for item in page["items"]] == ["CL2", "CL1"]
    rest = patient.get(f"/notices?limit=2&cursor={page['next_cursor']}").get_json()
    assert [item["text"] for item in rest["items"]] == ["CL0"] and rest["next_cursor"] is None
    assert stranger.get("/notices").get_json()["items"] == []


def test_menus_are_published(house: House) -> None:
    site = house.client.application.extensions["zhipei"]
    assert isinstance(site, Site)
    result = house.client.application.test_cli_runner().invoke(args=["menus"])
    assert result.exit_code == 0 and result.output == "2 menus\n", result.output
    menu = house.wechat.menu.find(house.app_id(), "商保理赔")
    assert menu["key"] == "claim"
