"""Places in the letters a to z that some recipients want: accents fall off, Chinese places are looked up, the rest is refused.

Promise: pure; a place whose letters are not Latin and that is not in the public list becomes null and never an empty text (both peers whose
code was read make "" of 北京 and hash that). Places only: no person's name is ever romanised, because a name has many spellings.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.forms.values import by_value, matching

CHINESE: Final = {
    "北京": "beijing", "上海": "shanghai", "天津": "tianjin", "重庆": "chongqing", "香港": "hongkong", "澳门": "macau", "台湾": "taiwan",
    "河北": "hebei", "山西": "shanxi", "内蒙古": "neimenggu", "辽宁": "liaoning", "吉林": "jilin", "黑龙江": "heilongjiang",
    "江苏": "jiangsu", "浙江": "zhejiang", "安徽": "anhui", "福建": "fujian", "江西": "jiangxi", "山东": "shandong", "河南": "henan",
    "湖北": "hubei", "湖南": "hunan", "广东": "guangdong", "广西": "guangxi", "海南": "hainan", "四川": "sichuan", "贵州": "guizhou",
    "云南": "yunnan", "西藏": "xizang", "陕西": "shaanxi", "甘肃": "gansu", "青海": "qinghai", "宁夏": "ningxia", "新疆": "xinjiang",
    "石家庄": "shijiazhuang", "唐山": "tangshan", "保定": "baoding", "太原": "taiyuan", "呼和浩特": "hohhot", "包头": "baotou",
    "沈阳": "shenyang", "大连": "dalian", "长春": "changchun", "哈尔滨": "harbin", "南京": "nanjing", "苏州": "suzhou", "无锡": "wuxi",
    "常州": "changzhou", "南通": "nantong", "徐州": "xuzhou", "扬州": "yangzhou", "杭州": "hangzhou", "宁波": "ningbo", "温州": "wenzhou",
    "嘉兴": "jiaxing", "绍兴": "shaoxing", "金华": "jinhua", "台州": "taizhou", "合肥": "hefei", "芜湖": "wuhu", "福州": "fuzhou",
    "厦门": "xiamen", "泉州": "quanzhou", "南昌": "nanchang", "济南": "jinan", "青岛": "qingdao", "烟台": "yantai", "潍坊": "weifang",
    "郑州": "zhengzhou", "洛阳": "luoyang", "武汉": "wuhan", "宜昌": "yichang", "长沙": "changsha", "广州": "guangzhou",
    "深圳": "shenzhen", "东莞": "dongguan", "佛山": "foshan", "珠海": "zhuhai", "中山": "zhongshan", "惠州": "huizhou", "南宁": "nanning",
    "桂林": "guilin", "海口": "haikou", "三亚": "sanya", "成都": "chengdu", "绵阳": "mianyang", "贵阳": "guiyang", "昆明": "kunming",
    "拉萨": "lhasa", "西安": "xian", "兰州": "lanzhou", "西宁": "xining", "银川": "yinchuan", "乌鲁木齐": "urumqi",
}  # fmt: skip
"""Provinces and large cities as they are written abroad."""

_SUFFIX: Final = r"(?:特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|省|市)$"

STATES: Final = {
    "alabama": "al", "alaska": "ak", "arizona": "az", "arkansas": "ar", "california": "ca", "colorado": "co", "connecticut": "ct",
    "delaware": "de", "districtofcolumbia": "dc", "florida": "fl", "georgia": "ga", "hawaii": "hi", "idaho": "id", "illinois": "il",
    "indiana": "in", "iowa": "ia", "kansas": "ks", "kentucky": "ky", "louisiana": "la", "maine": "me", "maryland": "md",
    "massachusetts": "ma", "michigan": "mi", "minnesota": "mn", "mississippi": "ms", "missouri": "mo", "montana": "mt", "nebraska": "ne",
    "nevada": "nv", "newhampshire": "nh", "newjersey": "nj", "newmexico": "nm", "newyork": "ny", "northcarolina": "nc",
    "northdakota": "nd", "ohio": "oh", "oklahoma": "ok", "oregon": "or", "pennsylvania": "pa", "rhodeisland": "ri",
    "southcarolina": "sc", "southdakota": "sd", "tennessee": "tn", "texas": "tx", "utah": "ut", "vermont": "vt", "virginia": "va",
    "washington": "wa", "westvirginia": "wv", "wisconsin": "wi", "wyoming": "wy",
}  # fmt: skip
"""The states of the United States and their two letters."""

_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


def roman(values: pa.StringArray) -> pa.StringArray:
    """Only a to z: São Paulo is saopaulo, 北京市 is beijing; null for what has letters that are not in the Latin alphabet."""
    plain = pc.replace_substring_regex(pc.utf8_lower(values), r"[\s.\-']", "")
    usual = matching(plain, "^[a-z]+$")
    rest = pc.and_(pc.is_valid(values), pc.is_null(usual))
    return pc.coalesce(usual, by_value(pc.replace_substring_regex(values, _SUFFIX, ""), _roman, only=rest))


def _roman(place: str) -> str | None:
    known = CHINESE.get(place.strip())
    if known:
        return known
    letters = [one for one in unicodedata.normalize("NFKD", place.lower().translate(_LETTERS)) if one.isalpha()]
    return "".join(letters) if letters and all("a" <= one <= "z" for one in letters) else None


def states(values: pa.StringArray) -> pa.StringArray:
    """The two letters of a state of the United States, any other province in `roman` letters."""
    letters = roman(values)
    short = pc.index_in(letters, value_set=pa.array(list(STATES), pa.string()))
    return pc.coalesce(pc.take(pa.array(list(STATES.values()), pa.string()), short), letters)
