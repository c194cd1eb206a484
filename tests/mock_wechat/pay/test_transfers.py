from __future__ import annotations

import json
from typing import Any

import pytest
from wechatpayv3 import WeChatPay
from wechatpayv3.type import RequestType

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, code_of, pay_client, text_of, until

PATH = "/v3/fund-app/mch-transfer/transfer-bills"
REPORT = [
    {"info_type": "保险产品备案编号", "info_content": "C00000001"},
    {"info_type": "保险名称", "info_content": "百万医疗险"},
    {"info_type": "保险操作单号", "info_content": "CL202611210000000001"},
]


@pytest.fixture
def openid(user: dict[str, Any], oa: dict[str, Any]) -> str:
    return str(user["openids"][oa["app_id"]])


def bill(pay: WeChatPay, openid: str, number: str = "P1", fen: int = 5_000, **more: Any) -> tuple[int, Any]:
    body = {"transfer_scene_id": "1004", "transfer_remark": "理赔款", "transfer_scene_report_infos": REPORT, **more}
    return pay.mch_transfer_bills(out_bill_no=number, openid=openid, transfer_amount=fen, **body)


def state(pay: WeChatPay, number: str = "P1") -> str:
    return str(text_of(pay.mch_transfer_bills_query(number))["state"])


def told(pay: WeChatPay, receiver: Receiver) -> dict[str, Any]:
    return dict(pay.callback(*receiver.wait()[-1][1:]))


def test_a_transfer_waits_for_its_payee(
    pay: WeChatPay, openid: str, api: Api, receiver: Receiver, wechat: WeChat, merchant: dict[str, Any]
) -> None:
    made = text_of(bill(pay, openid, user_name="张三"))
    assert (made["state"], state(pay)) == ("WAIT_USER_CONFIRM", "WAIT_USER_CONFIRM")
    assert wechat.accounts.balance(merchant["mchid"], "OPERATION") == {"balance_fen": 1_000_000, "frozen_fen": 5_000}
    assert "package_info" not in text_of(pay.mch_transfer_bills_query("P1"))
    assert api.phone("confirm_transfer", user="zhang", package_info=made["package_info"])["state"] == "SUCCESS"
    notice = told(pay, receiver)
    assert notice["event_type"] == "MCHTRANSFER.BILL.FINISHED"
    assert (notice["resource"]["state"], notice["resource"]["transfer_amount"]) == ("SUCCESS", 5_000)
    assert notice["resource"]["mch_id"] == merchant["mchid"]
    assert wechat.accounts.balance(merchant["mchid"], "OPERATION") == {"balance_fen": 995_000, "frozen_fen": 0}
    shown = text_of(pay.mch_transfer_bills_query(transfer_bill_no=made["transfer_bill_no"]))
    assert pay._core.decrypt(shown["user_name"]) == "张三"


def test_the_same_number_is_one_transfer(pay: WeChatPay, openid: str, api: Api) -> None:
    first, second = text_of(bill(pay, openid, user_name="张三")), text_of(bill(pay, openid, user_name="张三"))
    assert first == second
    assert code_of(bill(pay, openid, fen=5_001, user_name="张三")) == (400, "INVALID_REQUEST")
    assert code_of(bill(pay, openid, user_name="张四")) == (400, "INVALID_REQUEST")
    api.post("/__mock__/settings", {"repost_returns_package_info": False, "transfer_conflict_code": "ALREADY_EXISTS"})
    assert "package_info" not in text_of(bill(pay, openid, user_name="张三"))
    assert code_of(bill(pay, openid, fen=5_001)) == (400, "ALREADY_EXISTS")


def test_only_the_payee_confirms_and_only_once(pay: WeChatPay, openid: str, api: Api, wechat: WeChat) -> None:
    wechat.people.add({"user": "li", "name": "李四", "phone": "13800000002"})
    text_of(bill(pay, openid))
    assert api.phone("confirm_transfer", user="li", out_bill_no="P1")["code"] == "wrong_user"
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P404")["code"] == "transfer_unknown"
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P1")["state"] == "SUCCESS"
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P1")["code"] == "not_confirmable"


def test_unconfirmed_for_24_hours_it_fails(
    pay: WeChatPay, openid: str, wechat: WeChat, receiver: Receiver, api: Api, merchant: dict[str, Any]
) -> None:
    text_of(bill(pay, openid))
    wechat.clock.advance(24 * 3600 - 60)
    assert state(pay) == "WAIT_USER_CONFIRM"
    wechat.clock.advance(61)
    resource = told(pay, receiver)["resource"]
    assert (resource["state"], resource["fail_reason"]) == ("FAIL", "OVERDUE_CLOSE")
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P1")["code"] == "not_confirmable"
    assert wechat.accounts.available(merchant["mchid"], "OPERATION") == 1_000_000


def test_cancelling(pay: WeChatPay, openid: str, wechat: WeChat, receiver: Receiver, api: Api) -> None:
    text_of(bill(pay, openid))
    assert text_of(pay.mch_transfer_bills_cancel("P1"))["state"] == "CANCELLED"
    assert told(pay, receiver)["resource"]["state"] == "CANCELLED"
    text_of(bill(pay, openid, "P2"))
    api.phone("confirm_transfer", user="zhang", out_bill_no="P2")
    assert code_of(pay.mch_transfer_bills_cancel("P2")) == (400, "INVALID_REQUEST")
    wechat.settings.cancel_takes_s = 3600
    text_of(bill(pay, openid, "P3"))
    assert text_of(pay.mch_transfer_bills_cancel("P3"))["state"] == "CANCELING"
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P3")["code"] == "not_confirmable"
    wechat.clock.advance(3601)
    assert state(pay, "P3") == "CANCELLED"


def test_a_slow_transfer_is_transfering_first(pay: WeChatPay, openid: str, wechat: WeChat, api: Api) -> None:
    wechat.settings.transfer_takes_s = 3600
    text_of(bill(pay, openid))
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P1")["state"] == "TRANSFERING"
    wechat.clock.advance(3601)
    until(lambda: state(pay) == "SUCCESS")


def test_a_scripted_failure(pay: WeChatPay, openid: str, api: Api, receiver: Receiver) -> None:
    api.post("/__mock__/outcomes", {"out_no": "P1", "fail_reason": "REAL_NAME_CHECK_FAIL"})
    text_of(bill(pay, openid))
    assert api.phone("confirm_transfer", user="zhang", out_bill_no="P1")["fail_reason"] == "REAL_NAME_CHECK_FAIL"
    assert told(pay, receiver)["resource"]["state"] == "FAIL"


def test_a_wrong_name_fails(pay: WeChatPay, openid: str) -> None:
    answer = text_of(bill(pay, openid, user_name="张四"))
    assert (answer["state"], answer["fail_reason"]) == ("FAIL", "NAME_NOT_CORRECT")


def test_the_name_hangs_on_the_amount(pay: WeChatPay, openid: str) -> None:
    body = {"appid": pay._appid, "out_bill_no": "P1", "transfer_scene_id": "1004", "openid": openid}
    body |= {"transfer_remark": "理赔款", "transfer_scene_report_infos": REPORT}
    name = pay._core.encrypt("张三")

    def field(**more: Any) -> str:
        status, text = pay._core.request(PATH, method=RequestType.POST, data={**body, **more})
        return str(json.loads(text).get("detail", {}).get("field")) if status == 400 else str(status)

    assert field(transfer_amount=29, user_name=name) == "/user_name"
    assert field(transfer_amount=200_000) == "/user_name"
    assert field(transfer_amount=5_000, user_name="张三") == "/user_name"
    assert field(transfer_amount=199_999) == "200"
    assert field(transfer_amount=200_000, user_name=name, out_bill_no="P2") == "200"


def test_a_short_balance_waits_for_a_top_up(
    pay: WeChatPay, openid: str, api: Api, wechat: WeChat, merchant: dict[str, Any]
) -> None:
    api.post(f"/__mock__/merchants/{merchant['mchid']}/top_up", {"account": "OPERATION", "fen": -999_000})
    assert text_of(bill(pay, openid))["state"] == "PROCESSING"
    assert state(pay) == "PROCESSING"
    api.post(f"/__mock__/merchants/{merchant['mchid']}/top_up", {"account": "OPERATION", "fen": 999_000})
    assert text_of(bill(pay, openid))["state"] == "WAIT_USER_CONFIRM"
    wechat.settings.short_balance = "NOT_ENOUGH"
    assert code_of(bill(pay, openid, "P2", 5_000_000, user_name="张三")) == (403, "NOT_ENOUGH")


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"transfer_scene_report_infos": REPORT[:2]}, 400, "PARAM_ERROR"),
        ({"transfer_scene_report_infos": [*REPORT[:2], REPORT[0]]}, 400, "PARAM_ERROR"),
        ({"transfer_scene_report_infos": [{**REPORT[0], "info_content": "长" * 33}, *REPORT[1:]]}, 400, "PARAM_ERROR"),
        ({"transfer_scene_id": "9999"}, 403, "NO_AUTH"),
        ({"user_recv_perception": "现金奖励"}, 400, "PARAM_ERROR"),
        ({"transfer_remark": "长" * 33}, 400, "PARAM_ERROR"),
        ({"number": "P-1"}, 400, "PARAM_ERROR"),
        ({"appid": "wx0000000000000000"}, 400, "INVALID_REQUEST"),
    ],
)
def test_what_is_refused(pay: WeChatPay, openid: str, more: dict[str, Any], status: int, code: str) -> None:
    assert code_of(bill(pay, openid, **more)) == (status, code)
    assert code_of(pay.mch_transfer_bills_query("P1")) == (404, "NOT_FOUND")


def test_an_openid_of_another_app_is_refused(pay: WeChatPay, user: dict[str, Any], mini: dict[str, Any]) -> None:
    assert code_of(bill(pay, user["openids"][mini["app_id"]])) == (400, "PARAM_ERROR")


def test_an_address_outside_the_whitelist_is_refused(
    pay: WeChatPay, openid: str, wechat: WeChat, merchant: dict[str, Any]
) -> None:
    wechat.ground.merchants[merchant["mchid"]].ip_whitelist = ["203.0.113.1"]
    assert code_of(bill(pay, openid)) == (400, "INVALID_REQUEST")


def test_limits_are_settings(pay: WeChatPay, openid: str, wechat: WeChat) -> None:
    wechat.settings.transfer_max_fen, wechat.settings.transfer_day_max_fen = 6_000, 9_000
    assert code_of(bill(pay, openid, fen=6_001)) == (400, "INVALID_REQUEST")
    text_of(bill(pay, openid, "P2"))
    assert code_of(bill(pay, openid, "P3")) == (400, "INVALID_REQUEST")


def test_another_merchant_sees_nothing(pay: WeChatPay, openid: str, wechat: WeChat, world: dict[str, Any]) -> None:
    text_of(bill(pay, openid))
    other = pay_client(wechat, world["merchants"][1])
    assert code_of(other.mch_transfer_bills_query("P1")) == (404, "NOT_FOUND")
    assert code_of(other.mch_transfer_bills_cancel("P1")) == (404, "NOT_FOUND")


def test_after_thirty_days_it_is_gone(pay: WeChatPay, openid: str, wechat: WeChat) -> None:
    text_of(bill(pay, openid))
    wechat.clock.advance(31 * 86400)
    assert code_of(pay.mch_transfer_bills_query("P1")) == (404, "NOT_FOUND")
