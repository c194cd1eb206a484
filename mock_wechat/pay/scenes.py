"""Transfer scenes (转账场景): what each demands to be reported, and what its payee may be shown.

Source: WeChat Pay merchant documentation, 商家转账 转账场景报备信息字段说明.
"""

from __future__ import annotations

from mock_wechat.errors import PayError
from mock_wechat.ground import Ground
from mock_wechat.pay.models import TransferBill, param_error

REPORT_INFOS = {
    "1000": {"活动名称", "奖励说明"},
    "1002": {"补贴类型"},
    "1004": {"保险产品备案编号", "保险名称", "保险操作单号"},
    "1005": {"岗位类型", "报酬说明"},
    "1009": {"采购商品名称"},
    "1010": {"回收商品名称"},
    "1011": {"赔付原因"},
    "1013": {"公益活动名称", "公益活动备案编号"},
}
PERCEPTIONS = {"1004": {"保险理赔款"}}
RED_PACKET_MOST_FEN = 20_000
MISSING_INFOS = "需传入转账场景报备信息，请检查"


def check_scene(ground: Ground, bill: TransferBill) -> None:
    """The scene is opened, its report is complete and literal, and the payee is shown what the scene allows."""
    scene = bill.transfer_scene_id
    if scene not in REPORT_INFOS or scene not in ground.settings.scenes:
        raise PayError(403, "NO_AUTH", "商户号未开通该转账场景")
    types = [info.info_type for info in bill.transfer_scene_report_infos]
    if len(types) != len(REPORT_INFOS[scene]) or set(types) != REPORT_INFOS[scene]:
        raise PayError(400, "PARAM_ERROR", MISSING_INFOS)
    perception = bill.user_recv_perception
    if perception is not None and scene in PERCEPTIONS and perception not in PERCEPTIONS[scene]:
        raise param_error("/user_recv_perception", perception, "not allowed in this scene", "用户收款感知不合法")
    style = (bill.user_recv_style or {}).get("type", "CONFIRM_PAGE")
    if style not in ("CONFIRM_PAGE", "RED_PACKET"):
        raise param_error("/user_recv_style/type", style, "unknown style")
    if style == "RED_PACKET" and (scene == "1004" or bill.transfer_amount > RED_PACKET_MOST_FEN):
        raise param_error("/user_recv_style/type", style, "not allowed here", "该场景不支持红包样式")
