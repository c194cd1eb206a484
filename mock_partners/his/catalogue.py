"""What an invented Chinese hospital has on offer: departments, doctors' names, diagnoses, operations, chargeable items.

Diagnoses are written as the national insurance edition (医保2.0) of ICD-10 writes them, operations as its edition of
ICD-9-CM-3 does. Item codes are the hospital's own; insurance codes have the published shape, prices are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

DRUG, TREATMENT, SERVICE, MATERIAL = "1", "2", "3", "4"


@dataclass(frozen=True)
class Item:
    """A chargeable item. `insurance_class` is 甲, 乙 or 丙; `price` in yuan, six places."""

    code: str
    name: str
    category: str
    insurance_code: str | None
    insurance_class: str
    price: Decimal


@dataclass(frozen=True)
class Department:
    code: str
    name: str
    diagnoses: tuple[tuple[str, str], ...]
    campus: int = 0


DEPARTMENTS = (
    Department("0301", "呼吸内科", (("J06.900", "急性上呼吸道感染"), ("J20.900", "急性支气管炎"), ("J18.900", "肺炎"))),
    Department("0302", "心血管内科", (("I10.x00x002", "高血压"), ("I25.103", "冠状动脉粥样硬化性心脏病"))),
    Department("0303", "内分泌科", (("E11.900", "2型糖尿病"), ("E04.902", "甲状腺结节"))),
    Department("0304", "消化内科", (("K29.500", "慢性胃炎"), ("K21.001", "反流性食管炎"), ("K52.916", "急性胃肠炎"))),
    Department("0401", "普通外科", (("K80.100", "胆囊结石伴慢性胆囊炎"), ("K35.800", "急性阑尾炎")), 1),
    Department("0407", "骨科", (("M17.900", "膝关节病"), ("S52.500", "桡骨下端骨折"), ("M51.202", "腰椎间盘突出")), 1),
    Department("0700", "儿科", (("J06.900", "急性上呼吸道感染"), ("J45.900", "支气管哮喘"), ("B34.900", "病毒感染"))),
    Department("1300", "皮肤科", (("L30.900", "湿疹"), ("L50.900", "荨麻疹")), 1),
)
PAEDIATRICS, ORTHOPAEDICS = "0700", "0407"
OPERATIONS = {
    "0401": (("51.2300", "腹腔镜下胆囊切除术"), ("47.0100", "腹腔镜下阑尾切除术")),
    "0407": (("81.5400", "全膝关节置换术"), ("79.3200x001", "桡骨骨折切开复位钢板内固定术")),
}
CAMPUSES = ("本部院区", "东院区")
TITLES = ("主任医师", "副主任医师")
SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧"
GIVEN = {
    "male": ("伟", "志强", "建国", "俊杰", "浩然", "明轩", "国栋", "子涵", "文博", "宇航", "立新", "𬭎"),
    "female": ("芳", "秀英", "晓燕", "雨桐", "静怡", "梓萱", "丽华", "欣妍", "春梅", "诗涵", "玉兰", "嘉怡"),
}
DOTTED_NAMES = {"male": "买买提·阿不都热合曼", "female": "阿依古丽·吐尔逊"}


def _item(code: str, name: str, category: str, insurance_class: str, price: str, insurance_code: str | None) -> Item:
    return Item(code, name, category, insurance_code, insurance_class, Decimal(price))


DRUGS = (
    _item("YP1001", "阿莫西林胶囊 0.25g", DRUG, "甲", "0.386250", "XJ01CAA040E001010100001"),
    _item("YP1002", "头孢克洛缓释片 0.375g", DRUG, "乙", "3.141667", "XJ01DCT020A010010100002"),
    _item("YP1003", "硝苯地平控释片 30mg", DRUG, "甲", "2.285714", "XC08CAX097A012010100003"),
    _item("YP1004", "盐酸二甲双胍片 0.5g", DRUG, "甲", "0.247500", "XA10BAE030A001010100004"),
    _item("YP1005", "奥美拉唑肠溶胶囊 20mg", DRUG, "甲", "1.107143", "XA02BCA092E002010100005"),
    _item("YP1006", "氯雷他定片 10mg", DRUG, "甲", "0.916667", "XR06AXL201A001010100006"),
    _item("YP1007", "布地奈德吸入混悬液 1mg", DRUG, "乙", "9.462000", "XR03BAB237L013010100007"),
    _item("YP1008", "注射用头孢呋辛钠 0.75g", DRUG, "乙", "11.357500", "XJ01DCT014B001010100008"),
    _item("YP1009", "低分子肝素钠注射液 0.4ml", DRUG, "乙", "23.846154", "XB01ABD082B002010100009"),
    _item("YP1010", "复方甘草口服溶液 100ml", DRUG, "丙", "16.735000", None),
)
TREATMENTS = (
    _item("ZL2001", "血常规（五分类）", TREATMENT, "甲", "18.000000", "002501010150000-250101015"),
    _item("ZL2002", "肝功能生化检查", TREATMENT, "甲", "64.500000", "002503050000000-250305000"),
    _item("ZL2003", "胸部CT平扫", TREATMENT, "乙", "226.800000", "002103000010000-210300001"),
    _item("ZL2004", "彩色多普勒超声检查", TREATMENT, "乙", "142.500000", "002203010010000-220301001"),
    _item("ZL2005", "常规心电图检查", TREATMENT, "甲", "25.000000", "003107010010000-310701001"),
    _item("ZL2006", "雾化吸入", TREATMENT, "甲", "12.600000", "001206000010000-120600001"),
    _item("ZL2007", "静脉输液", TREATMENT, "甲", "14.250000", "001204000060000-120400006"),
    _item("ZL2008", "特需健康评估", TREATMENT, "丙", "80.000000", None),
)
VISIT_FEE = _item("FW3001", "门诊诊察费", SERVICE, "甲", "25.000000", "001102000010000-110200001")
BED_FEE = _item("FW3002", "普通病房床位费（日）", SERVICE, "甲", "48.000000", "001109000010000-110900001")
NURSING = _item("FW3003", "一级护理（日）", SERVICE, "乙", "36.000000", "001201000030000-120100003")
COMPANION = _item("FW3004", "陪护床费（日）", SERVICE, "丙", "20.000000", None)
OPERATION_FEE = _item("ZL2101", "手术治疗费", TREATMENT, "乙", "3860.000000", "003315060010000-331506001")
ANAESTHESIA = _item("ZL2102", "全身麻醉", TREATMENT, "乙", "1180.000000", "003301000050000-330100005")
DRESSING = _item("CL4001", "一次性医用敷料", MATERIAL, "乙", "7.853400", "C14030113500004090280000001")
IMPLANT = _item("CL4002", "人工膝关节假体", MATERIAL, "乙", "23860.000000", "C06040305100004107440000001")
ITEMS = (
    *DRUGS,
    *TREATMENTS,
    *(VISIT_FEE, BED_FEE, NURSING, COMPANION, OPERATION_FEE, ANAESTHESIA, DRESSING, IMPLANT),
)
REPORTS = {
    "ZL2001": ("1", "血常规", "白细胞 {0}.{1}×10⁹/L，中性粒细胞比例 {2}%，血红蛋白 1{2} g/L。"),
    "ZL2002": ("1", "肝功能", "谷丙转氨酶 {2} U/L，谷草转氨酶 {0}{1} U/L，总胆红素 1{0}.{1} μmol/L。"),
    "ZL2003": ("2", "胸部CT平扫", "双肺纹理增多，左肺下叶见小结节影，长径约 {0} mm，建议随访。"),
    "ZL2004": ("2", "彩色多普勒超声", "脏器形态大小正常，回声均匀，未见明确占位性病变。"),
    "ZL2005": ("9", "心电图", "窦性心律，心率 {2} 次/分，未见明显 ST-T 改变。"),
}
