"""Controls of the log, keys, accounts, backups, retention and the daily work."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app import access, credentials, jobs
from app.accountability.controls import Control, Finding, attention_if, broken_if
from ingestion.quarantine import QuarantineItem

if TYPE_CHECKING:
    from app.wiring import Services

SMALL_LOG = 20_000
"""Entries that are verified at once; a larger log counts as verified for a week after somebody did."""
WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
KEY_AGE = timedelta(days=400)
"""A key that is rotated once a year, and a month late."""
CAREFUL = frozenset({"officer", "administrator"})
"""Roles whose accounts need a second step."""


def _requests_overdue(services: Services) -> Finding:
    """Open requests of people whose deadline by law is over."""
    late, after = 0, ""
    while True:
        page = services.rights.page(services.requests_wanted(), actor="control", after=after)
        late += sum(1 for one in page["items"] if one["clock"] == "late")
        after = page["next"] or ""
        if not after:
            return broken_if(late)


def _log_verified(services: Services) -> Finding:
    with services.read_console() as tx:
        size, _ = services.log_state(tx)
    if size <= SMALL_LOG:
        return broken_if(int(not services.oversight.check()["ok"]))
    last = services.last_act("log.verify")
    return attention_if(int(last is None or services.clock() - last > WEEK))


def _checkpoint_late(services: Services) -> Finding:
    with services.read_console() as tx:
        _, signed_at = services.log_state(tx)
    return broken_if(int(signed_at is None or services.clock() - signed_at > HOUR))


def _backup_age(services: Services) -> Finding:
    last = services.last_act("backup.make")
    return attention_if(1) if last is None else broken_if(int(services.clock() - last > WEEK))


def _retention_run(services: Services) -> Finding:
    last = services.last_act("retention.run")
    return attention_if(1) if last is None else broken_if(int(services.clock() - last > 2 * DAY))


def _quarantine_expired(services: Services) -> Finding:
    """Sealed items that should be gone since an hour or longer."""
    over = sa.select(sa.func.count()).select_from(QuarantineItem).where(QuarantineItem.expires_at <= services.clock() - HOUR)
    with services.read_console() as tx:
        return broken_if(int(tx.execute(over).scalar_one()))


def _keys_age(services: Services) -> Finding:
    now = services.clock()
    return attention_if(sum(1 for _, _, made in services.key_ages() if now - made > KEY_AGE))


def _accounts_two_roles(services: Services) -> Finding:
    """One person with two accounts: addresses that differ only in what stands behind a plus sign."""
    with services.read_console() as tx:
        people = [one for one in access.accounts(tx) if not one["disabled"]]
    addresses = Counter(_plain(str(one["email"])) for one in people)
    return broken_if(sum(1 for number in addresses.values() if number > 1))


def _plain(email: str) -> str:
    name, _, host = email.partition("@")
    return f"{name.partition('+')[0]}@{host}"


def _second_step(services: Services) -> Finding:
    """Accounts that see people or give rights, that signed in, and have no second step."""
    with services.read_console() as tx:
        proved = credentials.overview(tx)
        people = [one for one in access.accounts(tx) if not one["disabled"] and one["role"] in CAREFUL]
    return broken_if(sum(1 for one in people if str(one["user"]) in proved and not proved[str(one["user"])][0]))


def _officers_two(services: Services) -> Finding:
    with services.read_console() as tx:
        officers = sum(1 for one in access.accounts(tx) if one["role"] == "officer" and not one["disabled"])
    return attention_if(max(0, 2 - officers))


def _items_accounted(services: Services) -> Finding:
    return broken_if(len(services.unaccounted()))


def _jobs_failed(services: Services) -> Finding:
    """Kinds of scheduled work that failed and are kept."""
    with services.read_console() as tx:
        counted, _ = jobs.standing(tx)
    return attention_if(sum(1 for (kind, state), number in counted.items() if state == "failed" and number and kind in services.schedule))


CONTROLS = (
    Control(
        "requests_overdue",
        "PIPL 50; GDPR 12(3)",
        "Is no request of a person over its deadline?",
        "是否没有个人权利请求超过法定期限？",
        "/requests",
        _requests_overdue,
    ),
    Control("log_verified", "PIPL 51, 54", "Does the access log verify?", "访问日志是否验证通过？", "/access-log", _log_verified),
    Control(
        "checkpoint_late",
        "PIPL 51",
        "Was the log signed within the last hour?",
        "日志是否在一小时内签名？",
        "/access-log",
        _checkpoint_late,
    ),
    Control("backup_age", "PIPL 51", "Was a backup made within the last week?", "是否在一周内做过备份？", "/health", _backup_age),
    Control(
        "retention_run",
        "PIPL 19, 47",
        "Did the retention job run within two days?",
        "保存期限清理任务是否在两天内运行？",
        "/jobs",
        _retention_run,
    ),
    Control(
        "quarantine_expired",
        "PIPL 19",
        "Is no item in quarantine longer than it may be?",
        "隔离区中是否没有超期数据？",
        "/quarantine",
        _quarantine_expired,
    ),
    Control(
        "keys_age",
        "PIPL 51",
        "Was every key that can be rotated made within 400 days?",
        "可轮换的密钥是否都在 400 天内生成？",
        "/settings",
        _keys_age,
    ),
    Control(
        "accounts_two_roles", "PIPL 51(4)", "Does nobody hold two accounts?", "是否没有人持有两个账户？", "/users", _accounts_two_roles
    ),
    Control(
        "second_step",
        "PIPL 51",
        "Does every officer and administrator sign in with a second step?",
        "每位负责人和管理员登录是否都启用了第二步验证？",
        "/users",
        _second_step,
    ),
    Control(
        "officers_two",
        "PIPL 51, 52",
        "Are there two officers, so that a second person can approve?",
        "是否有两位负责人，以便由第二人批准？",
        "/users",
        _officers_two,
    ),
    Control(
        "items_accounted",
        "PIPL 8, 51",
        "Is every item that came accounted for?",
        "每一条到达的数据是否都有去向？",
        "/sources",
        _items_accounted,
    ),
    Control("jobs_failed", "PIPL 51", "Did no scheduled work fail?", "是否没有定时任务失败？", "/jobs", _jobs_failed),
)
