from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from apiflask import APIBlueprint, APIFlask
from flask import Request
from pydantic import BaseModel, ConfigDict, StrictInt, ValidationError
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound, PartnerFault, Throttled, Unauthorised
from app.core.work import Runtime, Work
from app.factory import create_app
from app.web import routes
from app.web.errors import field_errors
from app.web.routes import door
from app.web.site import ACCOUNT, OPERATOR, PUBLIC, Caller, Site
from tests.app.kit import value

ALICE, BOB = uuid4(), uuid4()


class Sum(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: StrictInt
    b: StrictInt


class Total(BaseModel):
    total: int
    name: str = "张三"


def blueprint() -> APIBlueprint:
    """A feature in miniature; its effect is an audit entry."""
    bp = APIBlueprint("sums", __name__, url_prefix="/sums")

    @routes.command(bp, "/add", door(ACCOUNT), out=Total, body=Sum, status=201)
    def add(work: Work, caller: Caller, given: Sum) -> BaseModel:
        """相加"""
        work.audit("add", "sum", caller.id)
        return Total(total=given.a + given.b)

    @routes.command(bp, "/approve", door(OPERATOR, roles=("finance",)), out=Total)
    def approve(work: Work, caller: Caller) -> BaseModel:
        """批准"""
        return Total(total=0)

    @routes.question(bp, "/<uuid:sum_id>", door(ACCOUNT), out=Total)
    def look(session: Session, caller: Caller, sum_id: UUID) -> BaseModel:
        """查看"""
        if sum_id != caller.id:
            raise NotFound
        return Total(total=7)

    @routes.question(bp, "/read", door(ACCOUNT), out=Total, audited=True)
    def read(work: Work, caller: Caller) -> BaseModel:
        """查看明文"""
        work.audit("read.sum", "sum", caller.id)
        return Total(total=7)

    @routes.question(bp, "/fail/<how>", door(PUBLIC), out=Total)
    def fail(session: Session, caller: Caller | None, how: str) -> BaseModel:
        """出错"""
        raise ERRORS[how]

    return bp


ERRORS: Mapping[str, Exception] = {
    "bug": RuntimeError("11010519491231002X"),
    "partner": PartnerFault("bank", "11010519491231002X"),
    "throttled": Throttled("slowly", "慢一点", retry_after_s=9),
    "conflict": Conflict("taken", "已被占用", fields={"slot": "已满"}),
}


def authenticate(request: Request, runtime: Runtime) -> Caller:
    """`Authorization: <kind> <id> [role]` without any secret: what is tested here is what comes after."""
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    if not rest:
        raise Unauthorised("token_missing", "请先登录")
    who, *roles = rest.split()
    return Caller(kind, UUID(who), roles=frozenset(roles))


@pytest.fixture
def site(runtime: Runtime) -> Any:
    bare = replace(runtime, settings=runtime.settings.model_copy(update={"role": "console"}))
    app: APIFlask = create_app(bare)
    app.extensions["zhipei"] = Site(runtime, object(), {ACCOUNT: authenticate, OPERATOR: authenticate})
    app.register_blueprint(blueprint())
    return app.test_client()


def add(site: Any, key: str | None = "key-00000001", who: UUID = ALICE, **body: Any) -> tuple[int, object]:
    headers = {"Authorization": f"account {who}"} | ({"Idempotency-Key": key} if key is not None else {})
    answer = site.post("/sums/add", json={"a": 1, "b": 2} | body, headers=headers)
    return answer.status_code, answer.json


def effects(runtime: Runtime) -> int:
    found: int = value(runtime, "SELECT count(*) FROM audit_entry WHERE action = 'add'")
    return found


def test_a_command_has_its_effect_once_for_each_key(runtime: Runtime, site: Any) -> None:
    first = add(site)
    assert first == (201, {"total": 3, "name": "张三"})
    assert add(site) == first
    assert effects(runtime) == 1
    assert add(site, "key-00000002") == first
    assert add(site, who=BOB) == first
    assert effects(runtime) == 3
    status, refused = add(site, a=5)
    assert status == 422 and isinstance(refused, dict) and refused["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("key", [None, "", "short", "x" * 129, "schlüssel-1"])
def test_a_command_without_a_usable_key_is_refused(runtime: Runtime, site: Any, key: str | None) -> None:
    status, refused = add(site, key)
    assert status == 422 and isinstance(refused, dict) and refused["code"] == "idempotency_key_required"
    assert effects(runtime) == 0


@pytest.mark.parametrize("wrong", [{"a": "1"}, {"a": 1.5}, {"a": None}, {"a": True}, {"c": 1}])
def test_what_does_not_fit_is_named_and_not_repeated(site: Any, wrong: dict[str, Any]) -> None:
    status, refused = add(site, **wrong | {"b": "11010519491231002X"})
    assert status == 422 and isinstance(refused, dict)
    assert refused["code"] == "invalid" and "b" in refused["fields"]
    assert "11010519491231002X" not in str(refused)


def test_what_nobody_knows_is_named_by_where_it_stands_and_not_repeated() -> None:
    class Outer(BaseModel):
        model_config = ConfigDict(extra="forbid")
        sums: list[Sum]

    with pytest.raises(ValidationError) as refused:
        Outer.model_validate({"sums": [{"a": 1, "b": 2, "张三": 3}], "secret": 4})
    found = field_errors(refused.value)
    assert set(found) == {"sums.0._", "_"} and all("接口" in text for text in found.values())


def test_the_caller_needs_one_of_the_roles(site: Any) -> None:
    def approve(*roles: str) -> int:
        headers = {"Authorization": " ".join(["operator", str(ALICE), *roles]), "Idempotency-Key": "key-00000001"}
        return site.post("/sums/approve", headers=headers).status_code

    assert (approve(), approve("claims"), approve("claims", "finance")) == (403, 403, 200)
    assert site.post("/sums/approve").status_code == 401


def test_an_answer_that_has_not_changed_is_not_sent_again(site: Any) -> None:
    headers = {"Authorization": f"account {ALICE}"}
    first = site.get(f"/sums/{ALICE}", headers=headers)
    assert first.status_code == 200 and "private" in first.headers["Cache-Control"]
    again = site.get(f"/sums/{ALICE}", headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert site.get(f"/sums/{ALICE}", headers=headers | {"If-None-Match": '"other"'}).status_code == 200


def test_what_is_anothers_and_what_is_not_there_look_alike(site: Any) -> None:
    answers = [site.get(f"/sums/{one}", headers={"Authorization": f"account {ALICE}"}) for one in (BOB, uuid4())]
    shown = [{name: one.json[name] for name in ("code", "message", "fields")} for one in answers]
    assert [one.status_code for one in answers] == [404, 404] and shown[0] == shown[1]
    assert site.get("/sums/nonsense", headers={"Authorization": f"account {ALICE}"}).status_code == 404


def test_an_audited_question_leaves_its_trace(runtime: Runtime, site: Any) -> None:
    assert site.get("/sums/read", headers={"Authorization": f"account {ALICE}"}).status_code == 200
    assert value(runtime, "SELECT actor_id FROM audit_entry WHERE action = 'read.sum'") == str(ALICE)


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("bug", 500, "internal"), ("partner", 503, "partner_unavailable"), ("throttled", 429, "slowly"),
     ("conflict", 409, "taken")],
)  # fmt: skip
def test_every_error_has_the_one_shape(site: Any, how: str, status: int, code: str) -> None:
    answer = site.get(f"/sums/fail/{how}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert set(answer.json) == {"code", "message", "request_id", "fields"}
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert "11010519491231002X" not in answer.get_data(as_text=True)
    assert answer.headers.get("Retry-After") == {"partner": "5", "throttled": "9"}.get(how)


def test_without_its_database_the_product_says_busy(runtime: Runtime) -> None:
    lost = runtime.settings.model_copy(update={"database_url": "postgresql+psycopg://127.0.0.1:1/none"})
    from_nowhere = replace(runtime, settings=lost, database=type(runtime.database)(lost.database_url, runtime.privacy))
    headers = {"Zhipei-Partner": "H1-agent", "webhook-id": "m1"}
    answer: Any = create_app(from_nowhere).test_client().post("/exchange/v1/commands/poll", data="{}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert "Retry-After" in answer.headers


def test_browsers_are_told_to_be_careful(site: Any) -> None:
    headers = site.get("/healthz").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
