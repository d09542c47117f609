"""Controls of purposes, notices, sources and numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app import acts
from app.accountability.controls import ATTENTION, BROKEN, OK, Control, Finding, attention_if, broken_if
from privacy.vocabulary import PROFILING, PURPOSE_FAMILIES

if TYPE_CHECKING:
    from app.wiring import Services

CONSENT = frozenset({"consent", "separate_consent"})
THREE_QUARTERS = 0.75
"""Of a threshold, from which on it wants a look."""


def _purpose_ground(services: Services) -> Finding:
    known, here = services.articles(), services.settings.jurisdiction
    with services.read_console() as tx:
        purposes = services.purposes(tx).values()
    wrong = [
        one
        for one in purposes
        if here not in one.grounds or any(ground not in known.get(where, {}) for where, ground in one.grounds.items())
    ]
    return broken_if(len(wrong))


def _purpose_notice(services: Services) -> Finding:
    """Purposes that somebody uses and that rest on consent, without a notice that names them."""
    with services.read_console() as tx:
        purposes, notices = services.purposes(tx), services.notices(tx)
    used = {purpose for source in acts.list_sources(services) if not source["disabled"] for purpose in source["purposes"]}
    told = {purpose for notice in notices for purpose in notice.purposes}
    silent = [key for key in used - told if key in purposes and purposes[key].grounds.get(services.settings.jurisdiction) in CONSENT]
    return broken_if(len(silent)) if notices else attention_if(len(silent))


def _purpose_separate(services: Services) -> Finding:
    with services.read_console() as tx:
        purposes = services.purposes(tx).values()
    return broken_if(sum(1 for one in purposes if one.key.split(".")[0] in PURPOSE_FAMILIES and not one.separate))


def _notice_hash(services: Services) -> Finding:
    with services.read_console() as tx:
        return broken_if(len(services.altered_notices(tx)))


def _notice_languages(services: Services) -> Finding:
    """The newest notice of each purpose is there in every language of the settings."""
    wanted = {one.split("-")[0] for one in services.settings.languages}
    with services.read_console() as tx:
        newest = {purpose: notice for notice in services.notices(tx) for purpose in notice.purposes}
    wrong = {one.id for one in newest.values() if not wanted <= {language.split("-")[0] for language in one.texts}}
    return broken_if(len(wrong))


def _controller_named(services: Services) -> Finding:
    controller = services.settings.controller
    return broken_if(sum(1 for word in (controller.name, controller.contact) if not word.strip()))


def _source_purposes(services: Services) -> Finding:
    with services.read_console() as tx:
        known = set(services.purposes(tx))
    return broken_if(sum(1 for one in acts.list_sources(services) if not one["purposes"] or not set(one["purposes"]) <= known))


def _assessment_profiling(services: Services) -> Finding:
    """Automated decisions for marketing begin only when they were assessed."""
    using = [one for one in acts.list_sources(services) if PROFILING in one["purposes"] and not one["disabled"]]
    lacking = services.assessments.missing(f"purpose:{PROFILING}", (PROFILING,))
    return broken_if(len(using) if lacking else 0)


def _assessment_sensitive(services: Services) -> Finding:
    wrong = 0
    for source in acts.list_sources(services):
        sensitive = [one for one in source["purposes"] if one.startswith(("sensitive.", "location."))]
        wrong += any(services.assessments.missing(f"purpose:{one}", (one,)) for one in sensitive) and not source["disabled"]
    return broken_if(wrong)


def _minors_lake(services: Services) -> Finding:
    """Rows of children under fourteen, in the months that the lake keeps."""
    first, last = services.clock().date() - timedelta(days=31 * services.settings.retention.lake_months), services.clock().date()
    months = [number // 12 * 100 + number % 12 + 1 for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month)]
    names = services.names_of_minors(months, actor="control")
    return broken_if(0 if names is None else sum(one.rows for one in services.subject_counts.of(names)))


def _budget_exceeded(services: Services) -> Finding:
    return broken_if(len(services.over_budget()))


def _crossborder_threshold(services: Services) -> Finding:
    """No recipient's mechanism is too light for what the year needs; three quarters of a threshold want a look."""
    told = services.recipients.abroad()
    heavy = {"exempt": 0, "standard_contract": 1, "security_assessment": 2}
    covers = {"exempt": 0, "standard_contract": 1, "certification": 1, "security_assessment": 2}
    active = [one for one in services.recipients.standing() if one["abroad"] and one["status"] == "active"]
    light = [one for one in active if covers.get(one["mechanism"], -1) < heavy[told["route"]]]
    if light:
        return Finding(BROKEN, len(light))
    near = told["share"] is not None and told["share"] >= THREE_QUARTERS
    return Finding(ATTENTION if near else OK, int(near))


CONTROLS = (
    Control(
        "purpose_ground",
        "PIPL 13",
        "Does every purpose rest on a ground that exists here?",
        "每个处理目的是否都有本法域承认的合法性基础？",
        "/register",
        _purpose_ground,
    ),
    Control(
        "purpose_separate",
        "PIPL 23, 29, 39",
        "Do sharing, sensitive data and transfers abroad ask for separate consent?",
        "对外提供、敏感信息和出境是否都要求单独同意？",
        "/register",
        _purpose_separate,
    ),
    Control(
        "purpose_notice",
        "PIPL 17",
        "Does a notice name every purpose that sources use by consent?",
        "数据源所依据同意的每个目的是否都在告知文本中列明？",
        "/register",
        _purpose_notice,
    ),
    Control(
        "notice_hash",
        "PIPL 17; 7",
        "Do the words of every notice still have the hash that names it?",
        "每份告知文本的内容是否仍与其哈希一致？",
        "/register",
        _notice_hash,
    ),
    Control(
        "notice_languages",
        "PIPL 17",
        "Is the newest notice of every purpose there in every language?",
        "每个目的的最新告知文本是否具备所有语言？",
        "/register",
        _notice_languages,
    ),
    Control(
        "controller_named",
        "PIPL 17, 52",
        "Are the controller and its contact named?",
        "是否填写了处理者名称和联系方式？",
        "/register",
        _controller_named,
    ),
    Control(
        "source_purposes",
        "PIPL 6",
        "Does every source declare purposes that are registered?",
        "每个数据源声明的目的是否均已登记？",
        "/sources",
        _source_purposes,
    ),
    Control(
        "assessment_profiling",
        "PIPL 24, 55(2)",
        "Is marketing by automated decision covered by an approved assessment?",
        "自动化决策营销是否有已批准的影响评估？",
        "/assessments",
        _assessment_profiling,
    ),
    Control(
        "assessment_sensitive",
        "PIPL 29, 55(1)",
        "Is every source of sensitive data covered by an approved assessment?",
        "每个敏感信息数据源是否有已批准的影响评估？",
        "/assessments",
        _assessment_sensitive,
    ),
    Control(
        "minors_lake",
        "PIPL 31; 未成年人网络保护条例 24",
        "Is nobody under fourteen in the lake?",
        "数据湖中是否没有不满十四周岁未成年人的数据？",
        "/people",
        _minors_lake,
    ),
    Control(
        "budget_exceeded",
        "PIPL 4, 73(4)",
        "Is no month over its privacy budget?",
        "是否没有任何月份超出隐私预算？",
        "/budget",
        _budget_exceeded,
    ),
    Control(
        "crossborder_threshold",
        "促进和规范数据跨境流动规定 5, 7, 8",
        "Does the mechanism of every recipient abroad cover this year's number of people?",
        "每个境外接收方的出境机制是否覆盖今年的人数？",
        "/transfers",
        _crossborder_threshold,
    ),
)
