from __future__ import annotations

from flask.testing import FlaskClient


def test_no_route_falls_over_it(client: FlaskClient) -> None:
    for text in ("[" * 100_000, '{"app_id": "\\ud800"}', '{"app_id": "\\u0000"}', "NaN"):
        answer = client.post("/api/v1/login/mini", data=text, content_type="application/json")
        assert (answer.status_code, answer.json and answer.json["code"]) == (400, "bad_request")
