"""The routes of partners' programs. Every call is a signed POST; what has an effect has it once per message id."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeVar

from apiflask import APIBlueprint
from flask import Request, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest

from app.core.errors import Invalid
from app.core.strict_json import holds_nul, is_finite
from app.core.work import Runtime, Work
from app.exchange import batches, commands, contracts, feed, hand_out, inbox, keys, messages, programs, requests, rules
from app.exchange.completeness import completeness
from app.exchange.listener import listener
from app.exchange.plain_batch import plain_batch
from app.exchange.programs import Signer
from app.web.bodies import read_text
from app.web.errors import field_errors
from app.web.routes import door, signed_command
from app.web.site import PARTNER, Caller, actor, admit, runtime

MAX_BODY_BYTES = 8 * 1024 * 1024
# How long more of what woke an agent's poll may arrive: a burst then leaves in a few answers, not one by one.
GATHER_S = 0.02
bp = APIBlueprint("exchange", __name__, url_prefix="/exchange/v1", tag="数据交换")
BY_PARTNERS = door(PARTNER)
Given = TypeVar("Given", bound=BaseModel)
Found = TypeVar("Found")
Plain = Callable[[bytes], Any]


def authenticate_partner(request: Request, runtime: Runtime) -> Caller:
    """The program that signed this request. Unauthorised for everything that is missing, malformed or wrong."""
    g.body = read_text(request, MAX_BODY_BYTES)
    headers = {name.lower(): value for name, value in request.headers.items()}
    with runtime.read() as session:
        signer = programs.identify(session, runtime.privacy, headers, g.body.text)
    return Caller(PARTNER, signer.partner_id, signer.party_id)


@dataclass(frozen=True)
class Call(Generic[Given]):
    """A signed call whose body fits its contract."""

    caller: Caller
    signer: Signer
    message_id: str
    given: Given

    def work(self) -> Any:
        return runtime().work(actor(self.caller))

    def begin(self, work: Work) -> dict[str, Any] | None:
        """The answer this message got before, if it had its effect before."""
        meant = rules.request_hash(request.path, g.body.data)
        return inbox.begin(work, self.signer.partner_id, self.message_id, meant)


def _receive(contract: type[Given], plain: Plain | None) -> Call[Given]:
    caller = admit(BY_PARTNERS.kinds, BY_PARTNERS.roles)
    assert caller is not None and caller.party_id is not None
    if holds_nul(g.body.text):
        raise Invalid("nul_character", "内容中有不允许的字符 U+0000")
    given = (plain and plain(g.body.data)) or _read(contract, g.body.text)
    return Call(caller, Signer(caller.id, caller.party_id), request.headers["webhook-id"], given)


def _read(contract: type[Given], body: str) -> Given:
    try:
        given = contract.model_validate_json(body)
    except ValidationError as error:
        if any(item["type"] == "json_invalid" for item in error.errors(include_input=False, include_url=False)):
            raise BadRequest from error
        raise Invalid("invalid", "内容有误，请检查标出的项目", fields=field_errors(error)) from error
    if not is_finite(given, body):
        raise Invalid("not_a_number", "内容中有不是数字的数值")
    return given


def inquiry(
    rule: str, contract: type[BaseModel], out: type[BaseModel], status: int = 200, plain: Plain | None = None
) -> Callable[[Any], Any]:
    """A route whose function gets a Call, opens its own transactions and may be asked again. `plain` reads what the
    contract allows and most callers send, and answers None for everything else."""

    def register(function: Callable[[Any], BaseModel]) -> Callable[[Any], BaseModel]:
        @wraps(function)
        def read() -> BaseModel:
            return function(_receive(contract, plain))

        signed_command(bp, rule, BY_PARTNERS, body=contract, out=out, status=status)(read)
        return function

    return register


def effect(
    rule: str, contract: type[BaseModel], out: type[BaseModel], status: int = 200, plain: Plain | None = None
) -> Callable[[Any], Any]:
    """A route whose function (work, signer, given) has its effect once for each message id; `plain` as in `inquiry`."""

    def register(function: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        @wraps(function)
        def once(call: Call[Any]) -> BaseModel:
            with call.work() as work:
                before = call.begin(work)
                if before is not None:
                    return out.model_validate(before)
                answer = function(work, call.signer, call.given)
                inbox.store(work, call.signer.partner_id, call.message_id, answer.model_dump(mode="json"))
            return answer

        inquiry(rule, contract, out, status, plain)(once)
        return function

    return register


@effect("/batches", contracts.BatchIn, contracts.BatchTaken, 202, plain=plain_batch)
def push_batch(work: Work, signer: Signer, given: contracts.BatchIn) -> BaseModel:
    """推送一个批次（可用 gzip 压缩）；逐行结果另行查询"""
    return contracts.BatchTaken(batch_id=batches.take_batch(work, signer, given, g.body.gzipped))


@inquiry("/batches/verdicts", contracts.VerdictsIn, contracts.VerdictsView)
def read_verdicts(call: Call[contracts.VerdictsIn]) -> BaseModel:
    """查询一个批次的处理状态和逐行结果"""
    with runtime().read() as session:
        status, rows = batches.verdicts_of(session, call.signer.partner_id, call.given.batch_no)
    found = {"batch_no": call.given.batch_no, "status": status, "rows": rows}
    return contracts.VerdictsView.model_validate(found, from_attributes=True)


@inquiry("/completeness", contracts.CompletenessIn, contracts.CompletenessView)
def read_completeness(call: Call[contracts.CompletenessIn]) -> BaseModel:
    """一个业务日期的批次是否齐全：百分比、逐行结果合计、缺少的批次号"""
    with runtime().read() as session:
        found = completeness(session, call.signer.party_id, call.given.business_date)
    return contracts.CompletenessView.model_validate(found, from_attributes=True)


@inquiry("/commands/poll", contracts.PollIn, contracts.CommandsView)
def poll_commands(call: Call[contracts.PollIn]) -> BaseModel:
    """取回等待执行的指令；没有时最多等待 wait_ms 毫秒"""
    ask = hand_out.Ask(
        call.signer.party_id, call.given.max, call.given.lanes, call.given.lane_limits, call.given.lane_seen
    )

    asked_s = looked_s = time.monotonic()
    if call.given.bad_rows is not None:
        with call.work() as work:
            programs.note_bad_rows(work, call.signer.partner_id, call.given.bad_rows)

    def look() -> list[hand_out.Handed]:
        nonlocal looked_s
        looked_s = time.monotonic()
        with runtime().read() as session:
            if not hand_out.anything_for(session, ask):
                return []
        with call.work() as work:
            found = hand_out.hand_out(work, ask)
            if found:
                call.begin(work)  # whoever sends this poll again gets nothing
        return found

    commands = [vars(one) for one in _wait_for(look, call, call.given.wait_ms)]
    # Until before they were handed out: what took time since then is the agent's loss, and never its gain.
    return contracts.CommandsView.model_validate({"waited_ms": int(1000 * (looked_s - asked_s)), "commands": commands})


@effect("/commands/answers", contracts.AnswersIn, contracts.AnswersView)
def answer_commands(work: Work, signer: Signer, given: contracts.AnswersIn) -> BaseModel:
    """回复指令；每条指令只认第一次回复"""
    accepted = commands.take_answers(work, signer.partner_id, signer.party_id, given.answers)
    ignored = {one.id for one in given.answers}.difference(accepted)
    return contracts.AnswersView(accepted=accepted, ignored=sorted(ignored))


@effect("/messages", contracts.MessageIn, contracts.MessageTaken, 202)
def send_message(work: Work, signer: Signer, given: contracts.MessageIn) -> BaseModel:
    """发送一条业务消息（受理、补充材料、核赔结论、转账结果等）"""
    return contracts.MessageTaken(message_id=messages.take_message(work, signer, given))


@effect("/requests", contracts.RequestIn, contracts.RequestTaken, 202)
def request_data(work: Work, signer: Signer, given: contracts.RequestIn) -> BaseModel:
    """保险公司请求一家医院的数据；答复另行取回"""
    return contracts.RequestTaken(request_id=requests.take_request(work, signer, given))


@inquiry("/requests/answers/poll", contracts.RequestAnswersIn, contracts.RequestAnswersView)
def poll_request_answers(call: Call[contracts.RequestAnswersIn]) -> BaseModel:
    """取回数据请求的答复"""
    with call.work() as work:
        found = requests.request_answers(work, call.signer.party_id, call.given.cursor, call.given.max)
    return contracts.RequestAnswersView.model_validate({"answers": [vars(one) for one in found]})


@inquiry("/changes/poll", contracts.ChangesIn, contracts.ChangesView)
def poll_changes(call: Call[contracts.ChangesIn]) -> BaseModel:
    """取回变更；没有时最多等待 wait_ms 毫秒"""

    def look() -> list[feed.FeedItem]:
        with runtime().read() as session:
            if not feed.anything_behind(session, call.signer, call.given.cursor):
                return []
        with call.work() as work:
            return feed.changes(work, call.signer, call.given.cursor, call.given.max)

    found = _wait_for(look, call, call.given.wait_ms)
    return contracts.ChangesView.model_validate({"changes": [vars(one) for one in found]})


@effect("/changes/ack", contracts.AckIn, contracts.AckView)
def acknowledge_changes(work: Work, signer: Signer, given: contracts.AckIn) -> BaseModel:
    """确认变更已经收妥，之后从这里继续"""
    return contracts.AckView(cursor=feed.acknowledge(work, signer, given.cursor))


@inquiry("/keys", contracts.KeysIn, contracts.KeysView)
def read_keys(call: Call[contracts.KeysIn]) -> BaseModel:
    """我们签署理赔包所用的公钥：正在使用的和已经公布、即将使用或仍可验证旧包的"""
    return contracts.KeysView(keys=[contracts.KeyView(**vars(key)) for key in keys.announced(runtime().signing)])


def _wait_for(look: Callable[[], list[Found]], call: Call[Any], wait_ms: int) -> list[Found]:
    """What `look` finds, now or within the time; meanwhile no connection of the pool is held."""
    end = time.monotonic() + wait_ms / 1000
    if wait_ms == 0:
        return look()
    with listener(runtime().settings.database_url).waiting(call.signer.party_id) as waiter:
        while not (found := look()) and (left_s := end - time.monotonic()) > 0:
            waiter.wait(left_s)
            time.sleep(GATHER_S)
    return found
