"""Google Customer Match.

Rule (Google's "Prepare user data"; wire.md 5.5): e-mail without any whitespace, lower case, and for gmail.com and googlemail.com without
dots before the @; telephone in E.164 with its plus; first and last name without whitespace, lower case. These are hashed (SHA-256). Country
and postcode are not, and an address matches only with all four of first name, last name, country and postcode. Removal is the same operation
under `remove`. Promise: pure; refuses and never empties. The request's `consent` is ours to state and only ever GRANTED: who did not allow is
not in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.forms import names, values
from privacy.identity.forms.shape import Action, Choice, Form, Part

_GMAIL: Final = r"^(?P<local>[^@]+)@(?P<domain>gmail\.com|googlemail\.com)$"


def email(column: pa.StringArray, choice: Choice) -> pa.StringArray:
    """Blanks gone, lower case, Gmail's dots gone; its "+tag" too where that is agreed."""
    lower = pc.utf8_lower(values.without_blanks(column))
    parts = pc.extract_regex(lower, pattern=_GMAIL)
    local = pc.replace_substring_regex(pc.struct_field(parts, "local"), r"\.", "")
    if not choice.gmail_tags:
        local = pc.replace_substring_regex(local, r"\+.*$", "")
    return values.emails(pc.coalesce(pc.binary_join_element_wise(local, pc.struct_field(parts, "domain"), "@"), lower))


def body(table: pa.Table, action: Action, target: Mapping[str, Any]) -> dict[str, Any]:
    """One request of operations; a person is one operation with all of their identifiers."""
    word = "create" if action is Action.ADD else "remove"
    return {"operations": [{word: {"userIdentifiers": _identifiers(row)}} for row in table.to_pylist()], "enablePartialFailure": True}


def _identifiers(row: Mapping[str, str | None]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if row.get("Email"):
        found.append({"hashedEmail": row["Email"]})
    if row.get("Phone"):
        found.append({"hashedPhoneNumber": row["Phone"]})
    if row.get("First Name"):
        found.append(
            {
                "addressInfo": {
                    "hashedFirstName": row["First Name"],
                    "hashedLastName": row["Last Name"],
                    "countryCode": row["Country"],
                    "postalCode": row["Zip"],
                }
            }
        )
    return found


FORM: Final = Form(
    family="google",
    parts=(
        Part("Email", "email", email, "email_malformed"),
        Part("Phone", "phone", lambda column, choice: values.phones(column, choice.region), "phone_malformed"),
        Part("First Name", "first_name", lambda column, _: names.joined(column), "name_malformed"),
        Part("Last Name", "last_name", lambda column, _: names.joined(column), "name_malformed"),
        Part("Country", "country", lambda column, _: values.countries(column), "country_unknown", hashed=False),
        Part("Zip", "postcode", lambda column, _: values.postcodes(column), "postcode_malformed", hashed=False),
    ),
    file="csv",
    batch=10_000,
    abroad=True,
    together=((("First Name", "Last Name", "Country", "Zip"), "address_incomplete"),),
    words={Action.ADD: "create", Action.REMOVE: "remove"},
    body=body,
)
