"""A copy is complete: every table of both stores and of the lake is covered by a part, or says why it holds nobody."""

from __future__ import annotations

import importlib
import pkgutil

import analytics
import app
import ingestion
import privacy
from privacy.dictionary import catalogue
from privacy.orm import PlatformBase, VaultBase
from privacy.rights import stores


def every_table() -> set[str]:
    for package in (privacy, ingestion, analytics, app):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return {f"vault.{name}" for name in VaultBase.metadata.tables} | {f"platform.{name}" for name in PlatformBase.metadata.tables}


def test_a_table_without_a_handler_or_a_reason_fails_here() -> None:
    """A new table about people: add its part to `stores.COVERED` and to `copies`; one without people: say why in `EMPTY_OF_PEOPLE`."""
    known = {*stores.COVERED, *stores.EMPTY_OF_PEOPLE}
    assert every_table() - known == set()
    assert known - every_table() == set()
    assert not stores.COVERED.keys() & stores.EMPTY_OF_PEOPLE.keys()


def test_every_part_that_covers_a_table_exists() -> None:
    assert set(stores.COVERED.values()) <= set(stores.PARTS)


def test_a_portable_file_leaves_out_what_the_house_worked_out() -> None:
    lake = {f"lake.{name}" for name, table in catalogue.load().tables.items() if table.people}
    made = {f"lake.{name}" for name, table in catalogue.load().tables.items() if table.people and table.made == "close"}
    assert {part for part in lake if stores.portable(part)} == lake - made
    assert {part for part in stores.PARTS if stores.portable(part)} == {"identifiers", "consents"}
