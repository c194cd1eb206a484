from __future__ import annotations

from typing import Any

from tests.mock_wechat.kit import Api


def test_links_open_released_pages(api: Api, mini: dict[str, Any]) -> None:
    token = api.token(mini)
    link = api.post("/wxa/generate_urllink", {"path": "pages/claim", "query": "id=1"}, access_token=token)
    assert link["url_link"].startswith("https://wxaurl.cn/")
    scheme = api.post("/wxa/generatescheme", {"jump_wxa": {"path": "pages/claim"}}, access_token=token)
    assert scheme["openlink"].startswith("weixin://dl/business/?t=")
    for body in ({"path": "/pages/claim"}, {"path": "pages/none"}):
        assert api.post("/wxa/generate_urllink", body, access_token=token)["errcode"] == 41030
    body = {"path": "pages/claim", "query": "q" * 1025}
    assert api.post("/wxa/generate_urllink", body, access_token=token)["errcode"] == 47001


def test_texts_are_judged(api: Api, mini: dict[str, Any], user: dict[str, Any]) -> None:
    token, openid = api.token(mini), user["openids"][mini["app_id"]]

    def judge(content: str) -> str:
        body = {"version": 2, "scene": 2, "openid": openid, "content": content}
        return str(api.post("/wxa/msg_sec_check", body, access_token=token)["result"]["suggest"])

    assert [judge("谢谢医生"), judge("网络赌博")] == ["pass", "risky"]
