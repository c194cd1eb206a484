"""Notifications: an event whose resource is sealed with the merchant's APIv3 key, signed anew for every attempt."""

from __future__ import annotations

import json
import uuid
from typing import Any

from mock_wechat.entries import Merchant
from mock_wechat.ground import Ground
from mock_wechat.pay.certificates import PlatformCertificates
from mock_wechat.pay.signature import seal
from mock_wechat.push import Push, PushFault, Sent
from mock_wechat.pusher import Pusher
from mock_wechat.times import rfc3339


class Notices:
    def __init__(self, ground: Ground, pusher: Pusher, certificates: PlatformCertificates) -> None:
        self._ground, self._pusher, self._certificates = ground, pusher, certificates
        pusher.senders["pay"] = self._send

    def tell(self, mchid: str, url: str, event_type: str, original_type: str, resource: dict[str, Any]) -> None:
        """Push an event to `url` (nothing if there is none). Call it without holding the lock."""
        if not url:
            return
        settings = self._ground.settings
        associated = settings.associated_data.get(original_type, original_type)
        text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
        sealed = seal(self._ground.merchants[mchid].apiv3_key, text, associated)
        body = {
            "id": str(uuid.uuid4()),
            "create_time": rfc3339(self._ground.now()),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": SUMMARIES[event_type],
            "resource": {"original_type": original_type, **sealed},
        }
        ladder_s = [pause_s * settings.ladder_factor for pause_s in settings.notify_ladder_s]
        content = {"body": json.dumps(body, ensure_ascii=False, separators=(",", ":")), "about": text}
        self._pusher.submit(Push("pay", mchid, url, event_type, content, ladder_s))

    def _send(self, row: dict[str, Any], fault: PushFault) -> Sent:
        merchant: Merchant = self._ground.merchants[row["owner"]]
        body = row["content"]["body"].encode()
        headers = self._certificates.signed_headers(merchant, body, self._serial(merchant, row), fault.signature)
        headers |= {"Content-Type": "application/json", "Accept": "*/*", "User-Agent": "Mozilla/4.0"}
        answer = self._pusher.http.post(row["url"], content=body, headers=headers)
        return Sent(answer.status_code in (200, 204), answer.status_code, answer.text)

    def _serial(self, merchant: Merchant, row: dict[str, Any]) -> str:
        """The key to sign a push with: while keys change, it may be either, and another one on the next try."""
        choice = self._ground.settings.notices_signed_by
        if choice == "either":
            choice = ("certificate", "public_key")[(int(row["key"]) + row["tries"]) % 2]
        return merchant.wechat_public_key_id if choice == "public_key" else ""


SUMMARIES = {
    "TRANSACTION.SUCCESS": "支付成功",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.ABNORMAL": "退款异常",
    "REFUND.CLOSED": "退款关闭",
    "MCHTRANSFER.BILL.FINISHED": "商家转账单据终态通知",
}
