from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, account_client, code_of, pay_client, text_of, until
from tests.mock_wechat.pay.test_transfers import bill


def test_a_restart_remembers(world: dict[str, Any], tmp_path: Path, receiver: Receiver) -> None:
    oa, merchant = world["apps"][0], world["merchants"][0]
    receiver.answers = [(500, "")] * 3
    with WeChat({**world, "settings": {"notify_ladder_s": [3600]}}, state_dir=tmp_path) as before:
        user = before.people.add({"user": "zhang", "name": "张三", "phone": "13800000001"})
        openid = user["openids"][oa["app_id"]]
        before.people.follow("zhang", before.ground.apps[oa["app_id"]], True)
        token = Api(before.url).token(oa)
        pay = pay_client(before, merchant, notify_url=f"{receiver.url}/notify")
        order = pay.pay(description="x", out_trade_no="ORDER001", amount={"total": 100}, payer={"openid": openid})
        package = text_of(bill(pay, openid))["package_info"]
        before.cashier.pay("zhang", text_of(order)["prepay_id"])
        before.clock.advance(7)
        until(lambda: before.memory.load("push")["000000001"]["tries"] == 1)
    receiver.answers = []
    with WeChat(world, state_dir=tmp_path) as after:
        pay = pay_client(after, merchant, notify_url=f"{receiver.url}/notify")
        assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "SUCCESS"
        assert Api(after.url).get("/cgi-bin/user/get", access_token=token)["total"] == 1
        assert Api(after.url).token(oa) == token
        assert code_of(bill(pay, openid, fen=1)) == (400, "INVALID_REQUEST")
        assert Api(after.url).phone("confirm_transfer", user="zhang", package_info=package)["state"] == "SUCCESS"
        assert after.clock.offset_s == 7
        after.clock.advance(3601)
        told = {json.loads(body)["event_type"] for _, _, body in receiver.wait(3)}
        assert told == {"TRANSACTION.SUCCESS", "MCHTRANSFER.BILL.FINISHED"}


def test_faults_of_every_double_work_here_too(wechat: WeChat, api: Api, oa: dict[str, Any], pay: Any) -> None:
    token = api.token(oa)
    wechat.fail("/cgi-bin/user/get", status=200, body={"errcode": -1, "errmsg": "system error"})
    assert api.get("/cgi-bin/user/get", access_token=token)["errcode"] == -1
    assert api.get("/cgi-bin/user/get", access_token=token)["total"] == 0
    wechat.fail("/v3/pay", status=429, body={"code": "FREQUENCY_LIMITED", "message": "频率超限"})
    assert code_of(pay.query(out_trade_no="ORDER001")) == (429, "FREQUENCY_LIMITED")
    assert code_of(pay.query(out_trade_no="ORDER001")) == (404, "ORDER_NOT_EXIST")


def test_work_done_late_is_done(wechat: WeChat, pay: Any, user: dict[str, Any], oa: dict[str, Any]) -> None:
    openid = user["openids"][oa["app_id"]]
    wechat.fail("transfer-bills$", status=500, body={"code": "SYSTEM_ERROR", "message": "系统错误"}, late=True)
    assert code_of(bill(pay, openid)) == (500, "SYSTEM_ERROR")
    until(lambda: pay.mch_transfer_bills_query("P1")[0] == 200)
    assert text_of(bill(pay, openid))["state"] == "WAIT_USER_CONFIRM"


def test_an_answer_lost_after_the_work(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    wechat.people.follow("zhang", wechat.ground.apps[oa["app_id"]], True)
    wechat.fail("template/send", drop="after")
    body = {"touser": user["openids"][oa["app_id"]], "template_id": "tpl-paid", "data": {"thing1": {"value": "x"}}}
    token = api.token(oa)
    try:
        api.post("/cgi-bin/message/template/send", body, access_token=token)
        raise AssertionError("the connection should have broken")
    except httpx.HTTPError:
        until(lambda: len(wechat.inbox.of("zhang")) == 1)


def test_the_journal_holds_calls_and_pushes(api: Api, oa: dict[str, Any], wechat: WeChat) -> None:
    account_client(wechat, oa).user.get_followers()
    calls = [(entry["method"], entry["path"]) for entry in api.get("/__mock__/journal")]
    assert calls == [("GET", "/cgi-bin/token"), ("GET", "/cgi-bin/user/get")]


def test_the_command_runs_until_it_is_told_to_stop(world: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text(json.dumps({"wechat": world}))
    command = [sys.executable, "-m", "mock_wechat", "--world", str(tmp_path / "world.json"), "--port", "0"]
    command += ["--state-dir", str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/__mock__/health").json() == {"name": "wechat"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (tmp_path / "state" / "wechat.sqlite").exists()


def test_it_does_not_run_in_production(world: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text(json.dumps({"wechat": world}))
    command = [sys.executable, "-m", "mock_wechat", "--world", str(tmp_path / "world.json")]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "APP_ENV": "production"})
    assert ended.returncode == 2
    assert "stand-in" in ended.stderr
