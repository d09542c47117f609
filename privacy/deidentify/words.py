"""Small word lists by which `suspicion` tells a name from a word. Written for this house; data, no rules.

Promise: nothing here belongs to a person: the commonest given names and surnames of a language, and words that shops' customers write with
a capital letter.
"""

from __future__ import annotations

_GIVEN = """
    aaron abigail adam adrian aidan alan albert alejandro alex alexander alexandra alexis alice alicia alison amanda amelia amy andrea
    andreas andrew andy angela anita ann anna anne annie anthony antonio arthur ashley audrey barbara beatrice becky benjamin bernard
    beth betty beverly bradley brandon brenda brendan brett brian bridget bruce bryan caitlin cameron carl carla carlos carmen carol
    caroline catherine cathy cecilia charles charlotte chen cheryl chloe chris christian christina christine christopher cindy claire
    clara claudia colin connor courtney craig cynthia daniel danielle david debbie deborah debra denise dennis derek diana diane dmitri
    dominic donald donna doris dorothy douglas duncan dylan edith edward edwin eileen elaine eleanor elena elizabeth ella ellen emily
    emma eric erica erika ernest ethan eugene evelyn felix fernando fiona frances francesca francis fred frederick gabriel gareth gary
    gavin geoffrey george gerald gillian gina giovanni gloria gordon graham greg gregory hannah harold harriet harry heather heidi
    helen henry howard hugh ian igor ingrid irene isaac isabel isabella ivan jacob jacqueline james jamie jane janet janice jared jason
    javier jeff jeffrey jenna jennifer jenny jeremy jerry jessica jessie jill jim jimmy jing joan joanna joanne joe joel johan johannes
    john johnny jon jonas jonathan jose joseph joshua juan judith judy julia julian julie julien justin karen karl kate katherine
    kathleen kathryn kathy katie katrina keith kelly kenneth kerry kevin kim kimberly klaus kristen kristina kyle lara larry lars laura
    lauren laurent lawrence leah leo leon leonard leslie liam lillian linda lisa liu liz logan lois lorraine louis louise lucas lucia
    lucy luigi luis luke lydia lynn madison maggie malcolm manuel marco marcus margaret maria marie marilyn mario marion marjorie
    marsha martha martin mary mason mateo mathias matt matthew maureen maurice megan melanie melissa michael michelle miguel mike
    mohamed mohammed molly monica monika nancy naomi natalia natalie natasha nathan neil nicholas nick nicola nicole nigel nina noah
    nora norman olga olivia oscar owen pablo pamela patricia patrick paul paula pauline pedro peter philip phillip phyllis pierre
    rachel ralph raymond rebecca renee ricardo richard rita robert roberta roberto rodney roger roland ronald rosemary roy russell ruth
    ryan sabrina sally samantha samuel sandra sara sarah scott sean sebastian sergei sharon sheila shirley simon sofia sonia sophia
    sophie stefan stella stephanie stephen steve steven stuart susan suzanne sylvia tamara tara teresa terry theodore theresa thomas
    tiffany tim timothy tina todd tom tommy tony tracy travis trevor tyler valerie vanessa vera veronica vincent viola vivian walter
    wang wendy wesley william willie yolanda yvonne zachary zhang zhao zoe
"""
GIVEN = frozenset(_GIVEN.split())
"""Given names so common that one of them makes a text doubtful in whatever case; those that are words or places are left to their place."""

_CALENDAR = """
    january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun christmas easter halloween
    thanksgiving xmas new year years eve valentine valentines mothers fathers day black cyber lunar spring summer autumn winter festival
    mid-autumn dragon boat national labour labor diwali ramadan eid hanukkah boxing bank holiday singles double eleven am pm gmt utc est pst
"""
_PLACES = """
    china chinese hong kong taiwan macau beijing shanghai shenzhen guangzhou hangzhou chengdu nanjing wuhan suzhou xiamen tianjin chongqing
    japan japanese tokyo osaka korea korean seoul singapore malaysia malaysian thailand thai vietnam vietnamese indonesia india indian delhi
    mumbai pakistan philippines australia australian sydney melbourne zealand canada canadian toronto vancouver montreal america american
    americas us usa uk united states kingdom new york manhattan brooklyn chicago boston seattle san francisco los angeles california texas
    florida washington london english england british britain scotland scottish wales welsh ireland irish dublin manchester france french
    paris germany german berlin munich italy italian rome milan spain spanish madrid barcelona portugal portuguese lisbon netherlands dutch
    amsterdam holland belgium belgian brussels switzerland swiss zurich austria austrian vienna sweden swedish stockholm norway norwegian
    oslo denmark danish copenhagen finland finnish helsinki iceland icelandic poland polish warsaw czech prague hungary hungarian budapest
    greece greek athens turkey turkish istanbul russia russian moscow ukraine ukrainian romania romanian bulgaria croatia serbia slovenia
    slovakia estonia latvia lithuania cyprus malta europe european eu asia asian africa african egypt morocco tunisia kenya nigeria south
    north east west western eastern northern southern central brazil brazilian mexico mexican argentina chile colombia peru cuba jersey
    channel islands bahrain israel lebanon saudi arabia emirates dubai iran iraq greenland uruguay faroe hawaii arctic pacific atlantic
"""
_WORDS = """
    i i'm i've i'd i'll ok okay hi hello dear thanks thank you please sorry yes no not the a an and or but so if in on at of to for from with
    by is are was were be it it's its this that these those my your our their his her we they he she who what when where why how which
    there here all any some every many much more most very too also just only now then today tomorrow yesterday morning afternoon evening
    night week month good great nice bad best better worst love loved like liked hate hated excellent perfect amazing awful terrible
    delicious fresh sweet cold hot warm ice iced less half full extra large medium small regular mini big little sugar free one two three
    four five six seven eight nine ten first second third last next once never always again still even after before since until while
    because as can could should would will may might must do does did done have has had get got give gave make made take took go went come
    came see saw say said ask asked tell told buy bought order ordered orders pay paid price prices return returned refund refunds cancel
    cancelled ship shipped shipping deliver delivered delivery send sent receive received wait waited waiting work works worked working
    help need needed want wanted use used using try tried look looks looking feel feels think thought know knew find found keep kept
    staff manager customer customers service services team support office bot user admin dr mr mrs ms miss sir madam everyone anyone
    nobody everything something nothing someone thing things people person friend friends family mum mom dad mother father kids child
    children baby wife husband son daughter sister brother god gosh wow lol omg fyi ps btw asap faq tbh imo diy vat gst sms url pin id
    unfortunately however although though also overall definitely probably maybe perhaps really actually honestly finally especially
    instead otherwise meanwhile anyway besides despite during without within between both each either neither another other others such
    same different few several enough too quite rather almost about above below under over near far up down out off back away along across
    through around against into onto upon per via
"""
_BRANDS = """
    apple iphone ipad mac macbook android samsung galaxy huawei xiaomi google amazon ebay facebook instagram whatsapp wechat weixin alipay
    taobao tmall jd meituan eleme douyin tiktok youtube twitter linkedin microsoft windows excel word outlook gmail chrome safari firefox
    bluetooth wifi wi-fi usb hdmi visa mastercard amex american express unionpay paypal klarna stripe dhl ups fedex usps royal mail hermes
    starbucks mcdonald mcdonald's kfc nike adidas puma zara uniqlo ikea lego disney sony nintendo netflix spotify uber tesla bmw audi toyota
    coca cola coke pepsi sprite oreo nutella kitkat nescafe nestle oatly segment shopify
"""
_THINGS = """
    latte lattes tea teas coffee milk oat oolong matcha boba bubble cappuccino espresso mocha americano macchiato frappe smoothie juice
    lemonade cocoa chocolate vanilla caramel cheese cream foam mango peach strawberry lychee grape lemon lime orange coconut taro jasmine
    jelly pudding cake cakes cookie cookies muffin croissant bagel bread sandwich toast salad soup noodle noodles rice pizza burger fries
    chicken beef pork fish egg eggs butter sauce spice water wine beer snack snacks candy store stores shop shops mall market centre center
    station airport plaza park hotel restaurant cafe branch counter app website site page menu card cards coupon coupons voucher vouchers
    club member membership points reward rewards gift gifts box bag bags cup cups mug bottle set pack kit holder light lights lamp candle
    candles heart hearts clock frame cushion blanket towel plate bowl tray jar tin sign wreath decoration ornament hook hanger shirt shirts
    t-shirt dress dresses skirt jeans jacket coat sweater hoodie socks shoes boots sneakers hat scarf gloves belt watch ring necklace
    earrings bracelet phone phones tablet laptop charger cable headphones speaker camera screen battery edition collection series pro max
    plus air lite ultra size colour color red blue green black white pink yellow purple grey gray brown gold silver brand company group ltd
    inc corporation corp bank university school hospital college street road avenue orchestra band song album film movie book magazine
    weekly version model item items product products department committee party association foundation policy terms conditions privacy
    account password email e-mail address invoice receipt number code barcode
"""

THINGS = frozenset(_THINGS.split())
"""Words that make the capitalised words around them the name of a thing or a firm."""
KNOWN = frozenset(f"{_CALENDAR} {_PLACES} {_WORDS} {_BRANDS}".split()) | THINGS
"""Words that are capitalised inside sentences without being anybody's name, or begin sentences often."""

SURNAMES = (
    "欧阳|司马|上官|诸葛|皇甫|尉迟|公孙|慕容|令狐|夏侯|端木|南宫|长孙|["
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任卢姚沈钟姜崔谭陆范汪廖石"
    "韦贾夏付方邹熊孟秦邱江尹薛阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟申"
    "詹柏虞祝凌霍冉卞娄涂辛管祁查欧尚翁曲仇项佘阮左古傅萧焦毕尤耿邬席巩储柴游"
    "]"
)
GIVEN_CHARACTERS = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛超霞平刚桂兰玉萍红玲芬燕彬鹏浩凯健俊帆雪荣琳婷婧璐倩颖洁莉莹瑶欣怡佳琪萱涵梓轩宇泽晨曦"
    "阳旭东峰波龙飞斌鑫林建国华志明永海德福宁辉亮松柏坤淑珍凤梅琴云莲雅惠慧君晶岩楠雷雨嘉瑞博文思彤诗语心依然若冰晓小雯蕾薇菲"
    "丹妍娇媛媚帅翔昊天铭锦程睿振兴成康光宏庆利新学祥世民家立业才全胜义贵发富生远山仁良贤昌顺信武彪震毅琦瑜婉菊香月金欢花冬春"
    "秋畅想兵芝勤荷巧珠杨柳宝根清洪善旺泉玥婕曼楚筱芸岚凡尧"
)
"""Characters of which most given names are made."""
_CHINESE = """
    高兴 平安 安静 安全 安心 文明 文学 文字 石英 金华 温和 严重 成功 平台 江南 方便 方向 方法 方案 马上 马路 何时 何况 任何 如何 任务
    许多 也许 曾经 余下 高级 高端 高峰 高山 高远 高明 高光 高新 高利 高雅 白天 夏天 夏日 田园 黄金 黄色 黄山 黄河 黄瓜 黄油 万一 万分
    万家 万能 万全 严谨 严格 安康 安宁 康复 武汉 武夷 江山 江海 石林 石家庄 龙井 龙虾 龙凤 马龙 牛奶 牛肉 牛油 毛利 毛衣 毛巾 汤圆 温馨
    温暖 温州 钱包 向东 向阳 方正 林立 严厉 史上 历史 易拉 易学 辛苦 管家 管理 申请 章鱼 柏林 贺年 祝福 顾家 夏利 金玉 元宝 同学 周年
    周末 周五 周六 周日 周一 周二 周三 周四 周边 周到 许可 允许 程序 程度 课程 流程 过程 工程 全程 行程 路程 段时 阶段 付款 付费 支付
    到付 付清 地方 对方 双方 官方 配方 东方 安利 安博 方大 马云 丁香 任性 责任 信任 主任 田东 叶子 茶叶 余生 余额 多余 其余 程信 林荫
    森林 海龙 汪洋 石油 石榴 岩石 钻石 宝石 曹操 孔明 文心 文雅 文思 文成 文华 作文 中文 英文 语文 论文 全文 何必 为何 几何 向上 一向
    向心 倾向 莫名 莫非 严明 万事 千万 万福 万利 万华 万达 百万 亿万 顾客 光顾 照顾 回顾 毛病 羊毛 毛发 韩国 韩文 秦皇 宋体 唐山 唐朝
    鲁迅 齐全 整齐 一齐 容易 交易 贸易 简易 轻易 康师傅 健康 施工 措施 设施 实施 马桶 马卡龙 罗马 巴马 河马 立马 斑马 骏马 葛优 施华
    江浙 夏威夷 华夏 仲夏 初夏 立夏 最高 提高 很高 更高 超高 身高 高冷 文艺 石锅 黄昏 蛋黄 金黄 黄心 黄桃 黄豆 黄酒 雷同 雷雨 地雷 熊猫
    小熊 北极熊 雪熊 龙眼 龙年 恐龙 乌龙 沙龙 水龙 阳江 长江 浙江 江苏 丽江 珠江 叶绿 红叶 荷叶 薄荷 梁山 桥梁 水泥 任天堂 沈阳 孟婆
    范围 师范 规范 防范 模范 丁字 布丁 庄园 山庄 茶庄 庄严 邮政 安徽 西安 晚安 早安 公安 保安 淮安 延安 安排 安装 不安 文件 文章 章程
    图章 印章 勋章 公章 乔木 胡萝卜 胡椒 二胡 胡说 杜绝 杜康 苏打 苏州 紫苏 苏式 魏晋 陆续 大陆 登陆 上陆 林子 树林 园林 玉林 桂林 吉林
    林业 朱古力 朱红 何方 成何 何在 曾任 不曾 未曾 何处 康宁 侯爵 时候 许愿 少许 许诺 默许 默契 杨梅 杨枝甘露 杨柳 白杨 李子 行李 桃李
    张口 紧张 主张 夸张 一张 两张 三张 几张 这张 那张 每张 张数 开张 扩张 纸张 慌张 王者 王牌 大王 国王 女王 霸王 蜂王 帝王 王国 刘海
    陈列 陈旧 陈年 陈皮 黄牛 孙子 子孙 马克 马甲 郭家 查询 查看 查找 审查 检查 左右 古典 复古 古风 名古屋 蒙古 千古 欧洲 欧美 曲奇 歌曲
    项目 时尚 高尚 尚可 小花 胡杨 火柴 出席 上席 焦糖 焦虑 毕业 旅游 出游 游玩 萧瑟 师傅 高清 高金 黄花 桃花 梅花 茶花 金花 桂花 樱花
    江春 江秋 水清 花茶 花园 花费 花钱 春天 秋天 春节 冬天 春秋 立春 立秋 立冬 初春 初秋 初冬 康宝 汤宝 石宝 任意 高成 谢谢 感谢 多谢
    谢意 答谢 致谢 不谢 谢天谢地
"""
CHINESE_WORDS = tuple(_CHINESE.split())
"""Words in which a surname's character stands with one of given names and means nobody."""
