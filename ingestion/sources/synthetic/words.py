"""The words of the invented retailer: cities, drinks, names, sentences. Tables of our own, so that no library's next version changes a byte.

Promise: nobody and no shop in them exists.
"""

from __future__ import annotations

REGIONS = {
    "east": (("上海", "上海", "tier1"), ("杭州", "浙江", "new_tier1"), ("南京", "江苏", "new_tier1"), ("苏州", "江苏", "new_tier1")),
    "south": (("广州", "广东", "tier1"), ("深圳", "广东", "tier1"), ("厦门", "福建", "tier2")),
    "north": (("北京", "北京", "tier1"), ("天津", "天津", "new_tier1"), ("济南", "山东", "tier2")),
    "west": (("成都", "四川", "new_tier1"), ("西安", "陕西", "new_tier1")),
}
"""Four regions, twelve cities: name, province, tier."""
CITIES = tuple((region, *city) for region, cities in REGIONS.items() for city in cities)
PLACES = ("人民广场", "大学城", "火车站", "科技园", "万象城", "步行街", "中心书城", "会展中心")

DRINKS = {
    "milk_tea": (
        ("珍珠奶茶", "茉莉奶绿", "椰香奶茶", "红豆奶茶", "焦糖奶茶", "抹茶奶茶", "乌龙奶茶", "桂花奶茶", "黑糖奶茶",
         "芋泥奶茶", "布丁奶茶",
         "燕麦奶茶", "伯爵奶茶", "栗子奶茶", "花生奶茶"),
        (15, 14, 17, 15, 16, 18, 15, 16, 17, 19, 16, 17, 16, 18, 15),
    ),
    "fruit_tea": (
        ("鲜橙果茶", "柠檬绿茶", "满杯葡萄", "百香果茶", "西柚果茶", "芒果果茶", "草莓果茶", "青提果茶", "凤梨果茶",
         "荔枝果茶", "桃桃果茶", "金桔柠檬",
         "蓝莓果茶", "杨梅果茶", "石榴果茶"),
        (19, 13, 22, 16, 17, 19, 21, 20, 17, 19, 18, 14, 20, 18, 19),
    ),
    "pure_tea": (
        ("茉莉绿茶", "铁观音", "高山乌龙", "正山小种", "桂花乌龙", "龙井", "白桃乌龙", "冷泡绿茶", "大麦茶", "菊花茶", "普洱"),
        (12, 13, 13, 14, 14, 16, 15, 13, 12, 12, 14),
    ),
    "coffee": (
        ("美式", "拿铁", "生椰拿铁", "燕麦拿铁", "澳白", "摩卡", "焦糖玛奇朵", "橙C美式", "冷萃", "浓缩"),
        (14, 18, 20, 20, 19, 21, 21, 18, 17, 13),
    ),
    "low_sugar": (
        ("低糖乌龙", "无糖茉莉", "低糖奶绿", "零糖美式", "低糖葡萄", "低糖青提", "无糖龙井", "低糖燕麦奶", "低糖柠檬"),
        (16, 14, 17, 15, 21, 20, 16, 18, 15),
    ),
}  # fmt: skip
"""Categories with names and list prices in yuan; nine of the sixty drinks are low in sugar."""
LOW_SUGAR = "low_sugar"

STUDENT, OFFICE = "学生", "白领"
OTHER_JOBS = ("教师", "医护", "自由职业", "服务员")
LEVELS = ("普通", "银卡", "金卡")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = "安彬晨丹恩芳刚涵佳凯岚梅宁鹏琪睿珊婷薇欣雅泽嘉博超德凡桂浩洁可朗敏娜平清蓉淑涛维晓妍志"
PREFIXES = ("138", "139", "150", "186")

CAMPAIGNS = (
    "周三校园日",
    "下午茶套餐",
    "会员日",
    "新品尝鲜",
    "第二杯半价",
    "满额免配送",
    "低糖季",
    "毕业季",
    "开学季",
    "中秋礼盒",
    "国庆出行",
    "暖冬热饮",
)
CAMPAIGN_CHANNELS = ("sms", "email", "wechat", "push", "ads")
CREATIVES = ("海报", "短视频", "图文")

TOPICS = ("口味", "等候", "服务", "包装", "配送")
PRAISE = ("味道不错，会再来", "甜度刚好", "店员很热情", "新品很好喝", "出餐快", "包装很用心", "低糖的也好喝", "珍珠很有嚼劲")
BLAME = (
    "等了快二十分钟",
    "今天的有点太甜",
    "少放了一份珍珠",
    "送到的时候已经凉了",
    "杯盖漏了",
    "下单的优惠没有用上",
    "店里太吵",
    "希望多一些低糖的选择",
)
CONTACTS = ("，请回电{phone}", "，我的邮箱是{mail}", "，联系我 {phone} 谢谢", "，发票发到{mail}", "，手机号{phone}")
"""What somebody adds who wants an answer: here stands what the scrubber has to find."""
