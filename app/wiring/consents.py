"""The consent log, wired: its door, what a reader of it asks for, the notices beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from app.messages import FileDrop, Sender
from app.wiring.doors import Doors
from privacy.consent import registry
from privacy.dictionary import catalogue

if TYPE_CHECKING:
    from privacy.consent.listing import Wanted
    from privacy.consent.wording import Draft
    from privacy.notices import Notices
    from privacy.oversight.consents import ConsentLog
    from privacy.visits import Visits


class NoticeForm(NamedTuple):
    """The lists that whoever writes a notice chooses from. Items, categories and methods have their words in both languages."""

    items: Mapping[str, Mapping[str, str]]
    categories: Mapping[str, Mapping[str, str]]
    methods: Mapping[str, Mapping[str, str]]
    grounds: Mapping[str, Mapping[Any, str]]
    always: Sequence[str]


def _named(words: tuple[str, str]) -> dict[str, str]:
    return {"en": words[0], "zh": words[1]}


class Consents(Doors):
    """What the consent log and its receipts need."""

    @cached_property
    def consent_log(self) -> ConsentLog:
        from privacy.consent.receipts import Controller
        from privacy.oversight.consents import ConsentLog

        controller = self.settings.controller
        return ConsentLog(
            controller=Controller(controller.name, controller.contact, self.settings.jurisdiction),
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
        )

    @cached_property
    def notice_book(self) -> Notices:
        from privacy.notices import Notices

        return Notices(
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
            jurisdiction=self.settings.jurisdiction,
            categories=catalogue.load().categories(),
            cool_down=timedelta(days=self.settings.privacy.cool_down_days),
            unknown_age=self.settings.privacy.unknown_age,
        )

    @cached_property
    def visits(self) -> Visits:
        from privacy.visits import Visits

        return Visits(
            begin_platform=self.begin_intake,
            read_platform=self.read_intake,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
        )

    @property
    def tag_names(self) -> Sequence[str]:
        """What can be said about somebody that they may delete."""
        from privacy.visits import TAGS

        return TAGS

    @cached_property
    def message_sender(self) -> Sender:
        """Hands messages to the world: files in `outbox` of the home folder, which a gateway fetches."""
        return FileDrop(self.settings.home / "outbox")

    def notice_draft(self, version: str, items: Mapping[str, Mapping[str, str]], uses: Mapping[str, Any], anew: Sequence[str]) -> Draft:
        """A notice before it is published."""
        from privacy.consent.wording import Draft, Use

        told = {key: Use(frozenset(one["categories"]), frozenset(one["methods"])) for key, one in uses.items()}
        return Draft(version, items, told, frozenset(anew))

    def new_purpose(self, **told: Any) -> registry.Purpose:
        """A purpose as it is to be registered."""
        return registry.Purpose(**told)

    @property
    def notice_form(self) -> NoticeForm:
        """What a notice may say, and what it must."""
        from privacy.consent import wording

        known = sorted(catalogue.load().categories())
        return NoticeForm(
            {name: {"en": english, "zh": chinese, "article": article} for name, (english, chinese, article) in wording.ITEMS.items()},
            {one: _named(wording.CATEGORIES.get(one, (one, one))) for one in known},
            {one: _named(words) for one, words in wording.METHODS.items()},
            registry.GROUNDS,
            wording.ALWAYS,
        )

    def compare(self, before: str, after: str) -> list[tuple[str, str]]:
        """Two texts line by line: (same, added or removed; the words)."""
        from privacy.consent import wording

        return [(line.mark, line.words) for line in wording.compared(before, after)]

    def consent_filter(self, **wanted: Any) -> Wanted:
        """What a reader of the consent log asks for."""
        from privacy.consent.listing import Wanted

        return Wanted(**wanted)

    def consenting(self, tx: sa.Connection) -> dict[str, int]:
        """How many people allow each purpose now; those who were merged count apart."""
        from privacy.consent import tally

        return tally.allowing(tx, self.clock())

    def notices(self, tx: sa.Connection) -> Sequence[registry.Notice]:
        """Every notice, oldest first."""
        return registry.notices(tx)
