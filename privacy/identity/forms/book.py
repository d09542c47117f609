"""All forms under the names of their families, and what is published about each.

Promise: pure data; a recipient's registration names a family of this book, and nothing else decides what its file looks like.
"""

from __future__ import annotations

from typing import Any, Final

from privacy import errors
from privacy.identity.forms import china, contacts, google, linkedin, meta, tiktok, x
from privacy.identity.forms.shape import Action, Form

FORMS: Final[dict[str, Form]] = {
    form.family: form
    for form in (
        google.FORM,
        meta.FORM,
        tiktok.FORM,
        linkedin.FORM,
        x.FORM,
        china.DAMOPAN,
        china.DATABANK,
        china.OCEAN_ENGINE,
        china.TENCENT_ADS,
        contacts.SMS,
        contacts.EMAIL,
        contacts.WECHAT,
    )
}


def form(family: str) -> Form:
    """The form of a family; raises errors.NotFound."""
    found = FORMS.get(family)
    if found is None:
        raise errors.NotFound("No recipient's form has this name.", code="form_unknown", field="form")
    return found


def description(one: Form) -> dict[str, Any]:
    """A form in plain words, for the page that shows it and the manifest that names it."""
    return {
        "family": one.family,
        "file": one.file,
        "columns": [
            {"header": part.header, "from": part.source, "hashed": part.hashed, "identifies": part.identifies, "refusal": part.refusal}
            for part in one.parts
        ]
        + [{"header": name, "from": "constant", "hashed": False, "identifies": False, "refusal": ""} for name in one.constants],
        "digests": list(one.digests) if any(part.hashed for part in one.parts) else [],
        "together": [list(headers) for headers, _ in one.together],
        "rows_per_request": one.batch,
        "smallest_audience": one.smallest,
        "abroad": one.abroad,
        "sealed": one.sealed,
        "add": one.words[Action.ADD],
        "remove": one.words[Action.REMOVE],
    }
