"""How each member of staff wants to see the console: language and theme.

Promise: a convenience of the account, without an entry in the log; nothing is decided by it. Learns nothing about customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Invalid
from privacy.orm import PlatformBase

if TYPE_CHECKING:
    from app.wiring import Services

LANGUAGES = ("", "en", "zh_Hans_CN")
THEMES = ("", "light", "dark")
"""Empty: as the browser says."""


class AccountChoice(PlatformBase):
    """What an account chose; no row, nothing chosen."""

    __tablename__ = "account_choice"
    account_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    language: Mapped[str] = mapped_column(sa.String(20))
    theme: Mapped[str] = mapped_column(sa.String(10))


@dataclass(frozen=True, slots=True)
class Choice:
    """A language and a theme; empty where the browser decides."""

    language: str = ""
    theme: str = ""


def of(services: Services, account_id: str) -> Choice:
    """What an account chose."""
    with services.read_console() as tx:
        row = tx.execute(sa.select(AccountChoice.language, AccountChoice.theme).where(AccountChoice.account_id == account_id)).first()
    return Choice(row.language, row.theme) if row else Choice()


def keep(services: Services, account_id: str, *, language: str | None = None, theme: str | None = None) -> Choice:
    """Keeps what an account chose; None leaves as it is. Raises Invalid for what there is not."""
    check(language=language, theme=theme)
    before = of(services, account_id)
    after = Choice(before.language if language is None else language, before.theme if theme is None else theme)
    values = {"language": after.language, "theme": after.theme}
    with services.begin_console() as tx:
        if not tx.execute(sa.update(AccountChoice).where(AccountChoice.account_id == account_id).values(**values)).rowcount:
            tx.execute(sa.insert(AccountChoice).values(account_id=account_id, **values))
    return after


def check(*, language: str | None, theme: str | None) -> None:
    """Raises Invalid for a language or a theme that there is not."""
    if language is not None and language not in LANGUAGES:
        raise Invalid("the console does not speak this language", code="bad_choice", field="language")
    if theme is not None and theme not in THEMES:
        raise Invalid("there is no such theme", code="bad_choice", field="theme")
