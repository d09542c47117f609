"""Names, addresses and accounts, told by the words around them; and the words after which an unread remainder is suspicious.

Promise: spans of a plain text and a doubt, nothing kept. It prefers to take too much: what it cannot read it doubts. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from privacy.deidentify.detectors import Span

_H = r"\u4e00-\u9fff"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任卢姚沈钟姜崔谭陆范汪廖石韦贾夏付方邹熊孟"
    "秦邱江尹薛阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟申欧詹柏虞祝凌霍冉卞娄涂辛管"
)
_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|夏侯|端木|南宫|长孙"
_SURNAME = rf"(?:{_COMPOUND}|[{_SURNAMES}])"
_NAME_WORDS = "收件人|收货人|联系人|寄件人|取件人|收信人|姓名|名字|持卡人|户名"
_CODED = (
    r"(?:[A-Za-z0-9._~+/-]*(?:%[0-9A-Fa-f]{2}|&#\w{1,8};|\\[ux][0-9A-Fa-f]{2,6})[A-Za-z0-9._~+/%&#;\\-]*"
    r"|(?=[0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{8,}={0,2})"
)
"""What stands after a label and is no word: behind a sign of encoding, or long enough to be base64 of two Chinese characters."""
_LATIN = r"[A-Za-z][A-Za-z'-]*(?:[ ·][A-Za-z][A-Za-z'-]*){0,2}"
_LABELLED = re.compile(rf"(?:{_NAME_WORDS})\s*(?:[:：]|是|为|叫)\s*([{_H}·]{{2,4}}|{_LATIN}(?![A-Za-z0-9+/_=%&\\'-])|{_CODED}|{_LATIN})")
_THINGS = "".join(
    rf"(?<!{word}[ _-])"
    for word in ("product", "item", "store", "shop", "brand", "drink", "file", "event", "tea", "dish", "category", "coupon", "campaign")
)
_NAME_LABEL = (
    rf"(?<![A-Za-z]){_THINGS}(?:(?:full|first|last|given|family|nick|user|customer|contact|receiver|recipient)?[ _-]?name"
    r"|recipient|receiver|consignee|addressee|contact person|attn\.?)[\"']?\s{0,2}[:=]\s{0,2}[\"']?"
)
_NAME_FIELD = re.compile(rf"(?i:{_NAME_LABEL})([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+){{0,2}}|[{_H}·]{{2,4}}|{_CODED})")
_NEAR = re.compile(rf"(?:{_NAME_WORDS}|我叫|我姓|名叫|本人)\s*({_SURNAME}[{_H}]{{0,2}})")
_TITLED = re.compile(
    rf"({_SURNAME}[{_H}]{{0,2}}?)(?=先生|女士|小姐|太太|师傅|阿姨|大爷|大妈|同学|老师|经理|店长|医生|总(?![{_H}]*[共是计额]))"
)
_ENGLISH = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?\s+([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+){0,2})"
    r"|\b(?:[Mm]y name is|I am called)\s*([A-Z][\w'-]+(?:\s+[A-Z][\w'-]+){0,2})"
)
_NUMBER = r"[0-9A-Za-z一二三四五六七八九十百零〇\-－]{1,8}"
_ROAD = re.compile(
    rf"(?:大道|胡同|路|街|道|巷|弄|里|村|小区|花园|苑)\s?{_NUMBER}\s?(?:号楼|号院|号|弄|栋|幢|室|单元|楼)"
    rf"(?:\s?{_NUMBER}\s?(?:号楼|号院|号|弄|栋|幢|座|单元|室|层|楼|房)){{0,6}}"
)
_HAN_TAIL = re.compile(rf"[{_H}]{{1,24}}\Z")
_VERBS = "在到是址寄送于往去"
_UNIT = re.compile(
    rf"(?:[{_H}]{{2,10}}(?:小区|花园|苑|公寓|大厦|广场|村)\s?)?{_NUMBER}\s?(?:栋|幢|座|单元|号楼)\s?{_NUMBER}\s?(?:室|单元|房|号)(?:\s?{_NUMBER}\s?室)?"
)
_STREET = re.compile(
    r"\b\d{1,6}[A-Za-z]?,?\s+(?:[A-Z][\w'.-]*\s+){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq)\b\.?"
    r"(?:,?\s+(?:Apt|Suite|Unit|#)\.?\s*\w{1,6})?"
)
NUMBERED = (
    "电话|手机|座机|号码|联系|致电|拨打|短信|传真|微信|身份证|证件|卡号|银行卡|账号|帐号|护照|密码|设备|tel|phone|mobile|call|cell|whatsapp|fax|ssn"
    "|passport|wechat|account|password|card|imei|oaid|idfa|gaid|text|reach|answering|message|registered|number|contact|dial|ring|msg|sms|line"
)
"""Words after which even a short number may be a person's (the cheap test of `freetext`)."""
LINES = "office|fax|mobile|cell|home|work|tel|phone"
"""Words behind a number that make it a telephone's."""
_ACCOUNT = re.compile(
    r"(?:微信|薇信|威信|weixin|wechat|vx|v信|qq|扣扣|支付宝|alipay|抖音|小红书|line id|telegram)\s?(?:号码|账号|帐号|号|id)?\s?[:：是为加]?\s?"
    r"([A-Za-z0-9][A-Za-z0-9_-]{4,31})",
    re.IGNORECASE,
)
_OPEN_ID = re.compile(
    r"(?:open|union)[ _-]?id(?:号码?)?[\"']?(?:\s{0,2}(?:[:=是为]|is\s)\s{0,2}[\"']?|\s{1,2}(?=[\w-]{20}|[A-Za-z_-]*\d))"
    r"([A-Za-z0-9_%+/-]{6,128}={0,2}|(?:&#\w{1,8};|\\[ux][0-9A-Fa-f]{2,6}|[A-Za-z0-9_-]){6,128})",
    re.IGNORECASE,
)
"""The names that WeChat gives a person in one app and in all apps of one company: no form, only their label tells them."""
_DEVICE_NEAR = re.compile(
    r"(?:oaid|idfa|idfv|gaid|aaid|imei|meid|android[ _-]?id|device[ _-]?id|mac address|设备号|设备码|设备标识)[\"']?\s{0,2}"
    r"(?:[:：=是为]|is\s)?\s{0,2}[\"']?"
    r"([0-9A-Za-z](?:[:\- ]?[0-9A-Za-z]){11,63})",
    re.IGNORECASE,
)
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(rf"[{PROVINCES}][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{{5,6}}(?![A-Za-z0-9])")
_PASSPORT = re.compile(
    r"(?:护照|passport|通行证|港澳证|台胞证)[^A-Za-z0-9]{0,8}(?:号码|号|no\.?|number)?[^A-Za-z0-9]{0,3}([A-Za-z]{0,2}\d{7,9})(?!\d)",
    re.IGNORECASE,
)
_ID_NEAR = re.compile(r"(?:身份证|证件|resident id|id card|identity card)\D{0,12}([0-9][0-9 \-]{13,20}[0-9Xx])(?!\d)", re.IGNORECASE)
_PHONE_NEAR = re.compile(
    r"(?:reach (?:me|us|him|her) (?:at|on)|answering at|messages? to|text (?:me|us) (?:at|on)|registered(?: number)?|dial|电话"
    r"|手机|座机|号码|联系|致电|拨打|短信|tel|phone|mobile|call|cell|whatsapp|fax|传真)[^0-9+\n]{0,12}"
    r"(\+?[0-9](?:[\s\-.()]{0,2}[0-9]){5,14})(?![0-9])",
    re.IGNORECASE,
)
_PHONE_LINE = re.compile(rf"(?<![\d.,])(\(?\+?\d(?:[ \-./()]{{0,2}}\d){{4,14}})(?=[ \-–:(]{{0,3}}(?:{LINES})\b)", re.IGNORECASE)
_CARD_NEAR = re.compile(
    r"(?:卡号|银行卡|账号|帐号|card(?: number| no)?|account)\D{0,8}([0-9](?:[\s\-]{0,2}[0-9]){7,18})(?![0-9])", re.IGNORECASE
)

WORDS = (
    "收件人|收货人|联系人|寄件人|取件人|收信人|姓名|名字|持卡人|户名|我叫|我姓|名叫|本人|先生|女士|小姐|太太|师傅|阿姨|大爷|大妈|同学|老师|经理|店长|医生|总"
    "|路|街|道|巷|弄|胡同|小区|花园|苑|栋|幢|单元|号楼|室|微信|薇信|威信|扣扣|支付宝|抖音|小红书|艾特|护照|通行证|港澳证|台胞证|身份证|地址|住在|家住"
)
"""Chinese words one of which must stand in a text without digits for anything here to be found (the cheap test of `freetext`)."""

_DOUBT_NUMBER = re.compile(
    r"(?:电话|手机|座机|微信|身份证|证件号|卡号|银行卡|账号|帐号|护照|tel|phone|mobile|ssn|passport|wechat|account|password|密码)\D{0,8}\d[\d\s\-]{4,24}",
    re.IGNORECASE,
)
_DOUBT_NAME = re.compile(rf"(?:收件人|收货人|寄件人|联系人|姓名|持卡人|户名)\s*[:：]\s*[{_H}A-Za-z]")
_DOUBT_ADDRESS = re.compile(
    rf"(?:(?:收货|家庭|邮寄|寄送|详细|居住)?地址|家住|住在|住址)\s*[:：是在]?\s*[{_H}A-Za-z0-9]{{4}}|[{_H}](?:路|街|弄|巷)\s?\d+(?!\s?(?:公交|车|站|线))|\d{{1,4}}\s?(?:室|单元|栋|幢|号楼)"
)
_DOUBT_NAME_FIELD = re.compile(rf"(?i:{_NAME_LABEL})[{_H}A-Za-z%]", re.IGNORECASE)
_MONTHS = r"(?!(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)"
_HOUSE = rf"\d{{1,6}}[A-Za-z]?,?\s{{1,2}}{_MONTHS}[A-Za-z]{{2}}"
_DOUBT_ADDRESS_FIELD = re.compile(
    r"(?<![a-z])(?<!mail[ _-])(?<!web[ _-])(?<!ip[ _-])(?:address(?:[ _-]?(?:line)?[ _-]?\d)?|(?:ship|deliver|bill|send|sold)(?:ped|ed|t)?[ _-]to)"
    rf"[\"']?\s{{0,2}}[:=]\s{{0,2}}[\"']?[{_H}A-Za-z0-9%]",
    re.IGNORECASE,
)
_DOUBT_HOUSE = re.compile(
    r"(?<![a-z])(?:address is|(?:ship|deliver|send)(?:ped|ed)? (?:it |this |them )?to|(?:lives?|lived|living|resides?|located|moved) (?:at|on|in|to))"
    rf"\s(?:[a-z]+\s){{0,2}}{_HOUSE}",
    re.IGNORECASE,
)
_DOUBT_BOX = re.compile(r"\b(?:p\.?\s?o\.?\s?box|psc|(?:apt|suite|flat)\b\.?|(?:unit|box)(?=\s\d{3}))\s?#?\d|corner of\s\S", re.IGNORECASE)
_DOUBT_ASKED = re.compile(
    r"\b(?:last|first|full|family|maiden|middle|your|sur)[ -]?name\b[^\w\n]{1,4}[^\W\d_]|\bname on \w+ \w+\?"
    r"|\b(?:my|his|her|their) name is\s+[^\W\d_]|\bcall me\s+(?!(?:at|on|back|when|if|again|asap|later|today|now|please"
    r"|to|and|or|for|in|about|by|as|tomorrow|before|after)\b)"
    r"[^\W\d_]{3}",
    re.IGNORECASE,
)
_DOUBT_MAIL = re.compile(r"\w\s?@\s?\w")


_HOUSE_NUMBER = re.compile(r"\s\d{1,6}[A-Za-z]?,?\s")
_FIELD = re.compile(r"[A-Za-z0-9.][\"']?\s{0,2}[:=]")
_CODE = re.compile(r"[A-Za-z0-9](?:[ \-.()]{0,2}[A-Za-z0-9_]){4}")
_ROAD_WORDS = re.compile(r"[路街道巷弄里村园苑同区]\s?[0-9A-Za-z一二三四五六七八九十百零〇]|[栋幢座元楼厦场]")
_CAPITAL = re.compile(r"[A-Z][a-z]")
_PERSON_WORDS = re.compile(rf"{_NAME_WORDS}|我叫|我姓|名叫|本人|先生|女士|小姐|太太|师傅|阿姨|大爷|大妈|同学|老师|经理|店长|医生|总")


def names(text: str) -> Iterator[Span]:
    if _PERSON_WORDS.search(text):
        for pattern in (_LABELLED, _NEAR, _TITLED):
            yield from ((*m.span(1), "name") for m in pattern.finditer(text))
    if _FIELD.search(text):
        yield from ((*m.span(1), "name") for m in _NAME_FIELD.finditer(text))
    if _CAPITAL.search(text):
        yield from ((*m.span(m.lastindex or 0), "name") for m in _ENGLISH.finditer(text))


def places(text: str) -> Iterator[Span]:
    """A road with a number is an address from where its name may begin: back to a verb or to the last sign that is no Chinese character."""
    if _ROAD_WORDS.search(text):
        for m in _ROAD.finditer(text):
            name = _HAN_TAIL.search(text[max(0, m.start() - 24) : m.start()])
            before = name[0] if name else ""
            verb = max(before.rfind(v) for v in _VERBS)
            yield m.start() - len(before) + verb + 1, m.end(), "address"
        yield from ((*m.span(), "address") for m in _UNIT.finditer(text))
    if _CAPITAL.search(text):
        yield from ((*m.span(), "address") for m in _STREET.finditer(text))


def accounts(text: str) -> Iterator[Span]:
    if not _CODE.search(text):
        return
    for pattern, kind in (
        (_OPEN_ID, "account"),
        (_ACCOUNT, "account"),
        (_PASSPORT, "id"),
        (_ID_NEAR, "id"),
        (_CARD_NEAR, "card"),
        (_PHONE_NEAR, "phone"),
        (_PHONE_LINE, "phone"),
        (_DEVICE_NEAR, "device"),
    ):
        yield from ((*m.span(1), kind) for m in pattern.finditer(text))
    yield from ((*m.span(), "plate") for m in _PLATE.finditer(text))


def doubtful(text: str) -> bool:
    """Whether a text out of which everything found was taken still looks as if a person stood in it."""
    return bool(_DOUBT_MAIL.search(text)) or labelled(text)


def labelled(text: str) -> bool:
    """Whether something stands behind a word after which a person's name, address, number or password is to be expected."""
    doubts = [_DOUBT_NAME, _DOUBT_ADDRESS, _DOUBT_BOX, _DOUBT_ASKED]
    if _FIELD.search(text):
        doubts += [_DOUBT_NAME_FIELD, _DOUBT_ADDRESS_FIELD]
    if _CODE.search(text):
        doubts.append(_DOUBT_NUMBER)
    if _HOUSE_NUMBER.search(text):
        doubts.append(_DOUBT_HOUSE)
    return any(pattern.search(text) for pattern in doubts)
