"""The guardian behind a child's consent: a mark that binds one child's act to one guardian's identifier (PIPL 31).

Promise: the mark proves who the guardian was to whoever is given the same identifier again, and tells it to nobody else: it is keyed, and of this
child alone, so that two children of one guardian do not meet by it. The identifier is read, normalised and forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from privacy.errors import Invalid
from privacy.identity import pseudonyms
from privacy.identity.keys import Keyring
from privacy.identity.normalise import normalise
from privacy.vocabulary import IdentifierType

CHILD: Final = 14
"""Years: below it a guardian decides."""


def mark(keyring: Keyring, child: bytes, identifier: Any, *, namespace: str = "") -> str:
    """The mark of a guardian (`{type, value}`) beside a child, who is named by their consent handle; raises Invalid."""
    told = identifier if isinstance(identifier, Mapping) else {}
    kind, value = told.get("type"), told.get("value")
    if kind not in set(IdentifierType) or not isinstance(value, str):
        raise Invalid("a guardian is named by one identifier", code="guardian_invalid", field="guardian")
    normal = normalise(str(kind), pa.array([value], pa.string()), namespace=namespace)[0][0].as_py()
    if normal is None:
        raise Invalid("the guardian's identifier is none of its type", code="guardian_invalid", field="guardian")
    key = keyring.mac_key(pseudonyms.CONSENT_HANDLE, "guardian")
    return pseudonyms.blind_index(key, f"{child.hex()}:{kind}", [normal])[0].hex()
