"""What a process serves: a table of contents. It stands apart from `app`, so that a part loads without the whole."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from typing import Any

from apiflask import APIBlueprint, APIFlask
from click import Command
from flask import Response, g, request
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.middleware.proxy_fix import ProxyFix

from app.appointment import api as appointment
from app.appointment.waiting import api as waiting
from app.claim import api as claim
from app.claim import cli as claim_cli
from app.claim import operator_api as claim_operator
from app.claim.policy import api as policy
from app.core.log import configure_log
from app.core.work import Runtime
from app.exchange import api as exchange
from app.exchange import cli as exchange_cli
from app.exchange.oversight import api as oversight
from app.exchange.oversight import cli as oversight_cli
from app.gateways import Gateways
from app.identity import cli as identity_cli
from app.identity.consent import api as consent
from app.identity.login import api as login
from app.identity.operators import api as operators
from app.identity.person import api as person
from app.identity.person import operator_api as person_operator
from app.notification import api as notification
from app.notification import cli as notification_cli
from app.payment import api as payment
from app.payout import api as payout
from app.reconciliation import api as reconciliation
from app.reconciliation import cli as reconciliation_cli
from app.record import api as record
from app.registration import api as registration
from app.sandbox import cli as sandbox_cli
from app.settlement import api as settlement
from app.web import errors, limits
from app.web.bodies import WholeRequest
from app.web.json_text import StrictJson
from app.web.site import Authenticate, Site
from app.wiring import make_gateways

MAX_BODY_BYTES = 16 * 1024 * 1024
# Blueprints and ways to prove who is asking, by role of the process.
PUBLIC: tuple[APIBlueprint, ...] = (
    login.bp,
    person.bp,
    consent.bp,
    record.bp,
    notification.bp,
    notification.wechat_bp,
    payment.bp,
    payment.notify_bp,
    appointment.bp,
    waiting.bp,
    registration.bp,
    settlement.bp,
    claim.bp,
    policy.bp,
    payout.bp,
)
EXCHANGE: tuple[APIBlueprint, ...] = (exchange.bp,)
CONSOLE: tuple[APIBlueprint, ...] = (
    operators.bp,
    oversight.bp,
    person_operator.bp,
    registration.operator_bp,
    payment.operator_bp,
    settlement.operator_bp,
    claim_operator.bp,
    payout.operator_bp,
    reconciliation.bp,
)
BLUEPRINTS = {
    "public": PUBLIC,
    "exchange": EXCHANGE,
    "console": CONSOLE,
    "front": (*PUBLIC, *CONSOLE),
    "all": (*PUBLIC, *EXCHANGE, *CONSOLE),
}
# No bar for other documents, and no badge of a validator elsewhere, which would be told our address.
DOCS_PAGE = {"app_name": "Zhipei 直赔 · 接口文档", "layout": "BaseLayout", "validatorUrl": None}
ABOUT = """患者在微信里申请商业健康保险理赔的后台。公众号网页（H5）和小程序用同一套接口。

- **登录**：`/api/v1/login/…` 给出访问令牌，以后放在 `Authorization: Bearer …` 中；运营人员另有登录。
- **重复请求**：登录后的每个 POST 都带 `Idempotency-Key`，用同一个值再请求一次，得到同一个答复。
- **错误**：总是 `{"code", "message", "request_id", "fields"}`，`message` 可以直接给患者看；code 见各接口的回答。
  `fields` 是字段名 → 原因；约不到号时是附近有号的号源：编号 → 时间。429 与 503 看 `Retry-After`。
- **金额**：以分为单位的整数；时间带时区。"""
COMMANDS: tuple[Command, ...] = (
    identity_cli.seed,
    exchange_cli.partner,
    claim_cli.package,
    oversight_cli.exchange,
    notification_cli.menus,
    reconciliation_cli.reconcile,
    sandbox_cli.sandbox,
)
# Added, not set: to set one, the headers that are there are gone through.
_CLOSED = (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"))
AUTHENTICATE: dict[str, Authenticate] = {
    "account": login.authenticate,
    "operator": operators.authenticate,
    "partner": exchange.authenticate_partner,
}


class Product(APIFlask):
    """Flask looks at every function before every call whether it is async. None of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(runtime: Runtime, gateways: Gateways | None = None) -> APIFlask:
    """The application for the runtime's role, with its settings' gateways unless others are given. Opens no
    connection."""
    settings = runtime.settings
    configure_log(settings.log_level)
    app = Product(
        "app",
        title="Zhipei 直赔",
        version="1.0",
        spec_path="/api/openapi.json",
        docs_path=None,
        static_folder=None,  # type: ignore[arg-type]  # Flask's own way to have no such route
    )
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, OPENAPI_VERSION="3.1.0", SYNC_LOCAL_SPEC=False)
    error_schema = errors.ErrorView.model_json_schema()
    app.config.update(HTTP_ERROR_SCHEMA=error_schema, VALIDATION_ERROR_SCHEMA=error_schema)
    app.description = ABOUT
    app.json = StrictJson(app)
    app.request_class = WholeRequest
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.extensions["zhipei"] = Site(runtime, gateways or make_gateways(settings), AUTHENTICATE)
    app.before_request(_number_request)
    app.after_request(_close_doors)
    errors.install(app)
    limits.install(app, settings)
    for blueprint in BLUEPRINTS[settings.role]:
        app.register_blueprint(blueprint)
    app.register_blueprint(get_swaggerui_blueprint("/api/docs", "/api/openapi.json", config=dict(DOCS_PAGE)))
    for one in COMMANDS:
        app.cli.add_command(one)
    app.add_url_rule("/healthz", "healthz", app.doc(hide=True)(_healthy))
    app.security_schemes = {
        kind: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"} for kind in ("account", "operator")
    } | {"partner": {"type": "apiKey", "in": "header", "name": "webhook-signature"}}
    return app


def _number_request() -> None:
    g.request_id = token_hex(8)


def _close_doors(response: Response) -> Response:
    """Headers that keep a browser from doing more than was meant."""
    response.headers.update(_CLOSED)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if not request.path.startswith("/api/docs"):
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response


def _healthy() -> tuple[str, int]:
    return "ok", 200
