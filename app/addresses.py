"""Where a pulled source is, with its password: by name out of the environment or a private file, at the moment of use.

Promise: an address is in no store, no log, no message, no argument and no setting that is shown; the deployment's own keeper of secrets
holds it and changes it without us. A file that others can read is refused. Must never learn: what is read there.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from privacy.errors import Invalid, NotConfigured

PREFIX, SUFFIX = "PIYING_SOURCE_", "_URL"
FOLDER = "sources"
"""Beside the key file: `keys/sources/NAME.url`, mode 0600."""
MOST_BYTES = 4096
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}\Z")


def variable_of(name: str) -> str:
    """The environment variable of an address."""
    return f"{PREFIX}{name}{SUFFIX}"


def is_address(variable: str) -> bool:
    """Whether an environment variable is the address of a source, and so no setting."""
    return variable.startswith(PREFIX) and variable.endswith(SUFFIX) and bool(_NAME.match(variable[len(PREFIX) : -len(SUFFIX)]))


def checked(name: str) -> str:
    """The name of an address; raises Invalid for what could be none of a variable."""
    if not _NAME.match(name):
        raise Invalid("an address is named by up to forty capital letters, digits and underscores", code="address_name", field="address")
    return name


def name_for(source_name: str) -> str:
    """The address that a source has if nobody names another one; raises Invalid where its name gives none."""
    return checked(re.sub(r"[^A-Z0-9]+", "_", source_name.upper()).strip("_"))


def find(name: str, keys: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The address: of the environment, else of the file; raises NotConfigured where there is none."""
    given = environment.get(variable_of(checked(name)))
    return given if given else _from_file(keys / FOLDER / f"{name}.url")


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode) or stat.S_IMODE(facts.st_mode) & 0o077:
                raise Invalid("the file of an address can be read by others; its mode must be 0600", code="address_not_private")
            return file.read(MOST_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NotConfigured(
            "the source's address is neither in the environment nor in its file: see the manual, Pulls", code="address_missing"
        ) from None
