"""X Custom Audiences.

Rule (X's "Audiences"; wire.md 5.5): e-mail and handle trimmed and lower case, the handle without its @; advertising identifiers in lower case;
each hashed with unsalted SHA-256. One operation "Update" or "Delete" a person, 2,500 a request; deliverable from 100 people who were active in
90 days. Promise: pure; refuses and never empties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.forms import values
from privacy.identity.forms.shape import Action, Choice, Form, Part


def handle(column: pa.StringArray, _: Choice) -> pa.StringArray:
    """What X allows as a name: up to fifteen letters, digits and underscores."""
    bare = pc.replace_substring_regex(pc.utf8_lower(column), "^@", "")
    return values.matching(bare, "^[a-z0-9_]{1,15}$")


def body(table: pa.Table, action: Action, target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One request of operations."""
    word = "Update" if action is Action.ADD else "Delete"
    return [
        {"operation_type": word, "params": {"users": [{name: [value] for name, value in row.items() if value}]}}
        for row in table.to_pylist()
    ]


FORM: Final = Form(
    family="x",
    parts=(
        Part("email", "email", lambda column, _: values.emails(pc.utf8_lower(column)), "email_malformed"),
        Part("handle", "handle", handle, "handle_malformed"),
        Part("device_id", "device", lambda column, _: values.devices(column), "device_malformed"),
    ),
    file="json",
    batch=2_500,
    smallest=100,
    abroad=True,
    words={Action.ADD: "Update", Action.REMOVE: "Delete"},
    body=body,
)
