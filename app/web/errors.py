"""One shape for every error: {"code", "message", "request_id", "fields"}. Nothing of the input is repeated."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.core.errors import CommitUnknown, PartnerFault, Problem, Tampered
from app.core.log import get_log
from app.web.site import request_id

log = get_log(__name__)

_HTTP = {
    400: ("bad_request", "请求格式不正确"),
    401: ("unauthorised", "请先登录"),
    403: ("forbidden", "没有权限"),
    404: ("not_found", "没有找到"),
    405: ("method_not_allowed", "不支持这种请求方法"),
    408: ("request_timeout", "内容没有及时传完，请重试"),
    413: ("too_large", "内容太大"),
    415: ("not_json", "请使用 JSON 格式"),
    422: ("invalid", "填写的内容有误，请检查标出的项目"),
    429: ("too_many_requests", "操作太频繁，请稍后再试"),
}
# pydantic's kinds of error, in the patient's language; whatever is not listed is simply "格式不正确".
_FIELD = {
    "missing": "请填写此项",
    "extra_forbidden": "有不认识的项目，请对照接口文档核对名称",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "string_type": "应为文字",
    "string_too_short": "太短",
    "string_too_long": "太长，最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式不正确",
    "greater_than": "数值太小",
    "greater_than_equal": "数值太小",
    "less_than": "数值太大",
    "less_than_equal": "数值太大",
    "too_short": "数量太少",
    "too_long": "数量太多，最多 {max_length} 项",
    "literal_error": "不在可选范围内",
    "enum": "不在可选范围内",
    "uuid_parsing": "编号格式不正确",
    "date_from_datetime_parsing": "日期格式不正确",
    "date_parsing": "日期格式不正确，应为 YYYY-MM-DD",
    "datetime_parsing": "时间格式不正确，应带时区，如 2026-11-22T08:00:00+08:00",
    "timezone_aware": "时间格式不正确，应带时区，如 2026-11-22T08:00:00+08:00",
}


class ErrorView(BaseModel):
    """The one shape of an error."""

    code: str
    message: str
    request_id: str
    fields: dict[str, str] = {}


def install(app: APIFlask) -> None:
    """Turn everything that can be raised into the one shape."""
    app.error_processor(_apiflask)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(PartnerFault, _partner)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CommitUnknown, _unknown)
    app.register_error_handler(Tampered, _tampered)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(Exception, _bug)


def answer(status: int, code: str, message: str, fields: dict[str, str] | None = None) -> Response:
    view = ErrorView(code=code, message=message, request_id=request_id(), fields=fields or {})
    return Response(view.model_dump_json(), status, content_type="application/json")


def _problem(error: Problem) -> Response:
    response = answer(error.status, error.code, error.message, error.fields)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _apiflask(error: HTTPError) -> Any:
    code, message = _HTTP.get(error.status_code, ("error", "请求没有成功"))
    cause = error.__cause__
    fields = field_errors(cause) if isinstance(cause, ValidationError) else {}
    return answer(error.status_code, code, message, fields), error.status_code, error.headers


def field_errors(error: ValidationError) -> dict[str, str]:
    """{path of the field: what is wrong, in Chinese}; messages of our own validators are kept as they are. A name that
    nobody knows is the caller's own text, so `_` stands for it, at the place where it was found."""
    found = {}
    for item in error.errors(include_input=False, include_url=False)[:20]:
        unknown = item["type"] == "extra_forbidden"
        path = ".".join(map(str, (*item["loc"][:-1], "_") if unknown else item["loc"]))[:80]
        own = item["type"] == "value_error"
        said = _FIELD.get(item["type"], "格式不正确").format(**item.get("ctx", {}))
        found[path or "_"] = str(item["ctx"]["error"]) if own else said
    return found


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    code, message = _HTTP.get(status, ("error", "请求没有成功"))
    if status == 413 and request.max_content_length is not None:
        message = f"{message}，一次请求最多 {request.max_content_length // 1024**2} MB"
    response = answer(status, code, message)
    if status == 405 and isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.valid_methods or ())
    if status == 429:
        response.headers["Retry-After"] = "60"
    return response


def _partner(error: PartnerFault) -> Response:
    log.warning("partner_fault", partner=error.partner, code=error.code)
    response = answer(503, "partner_unavailable", "对方系统暂时没有响应，请稍后再试")
    response.headers["Retry-After"] = "5"
    return response


def _tampered(error: Tampered) -> Response:
    log.error("tampered", where=error.where)
    return answer(409, "record_damaged", "这条记录的数据校验没有通过，已停止处理并通知工作人员")


def _unknown(_: CommitUnknown) -> Response:
    return answer(503, "outcome_unknown", "暂时无法确认结果，请用同一个 Idempotency-Key 再试一次")


def _unstorable(error: DataError) -> Response:
    """A text or number that no column can hold (a NUL, a date beyond time): the input's fault, not ours."""
    log.warning("unstorable", error=type(error.orig).__name__)
    return answer(422, "invalid", _HTTP[422][1])


def _database(error: DBAPIError) -> Response:
    log.error("database", error=type(error.orig).__name__, exc_info=error)
    response = answer(503, "busy", "系统繁忙，请稍后再试")
    response.headers["Retry-After"] = "2"
    return response


def _bug(error: Exception) -> Response:
    log.error("bug", error=type(error).__name__, exc_info=error)
    return answer(500, "internal", "系统出错，我们已经记录，请稍后再试")
