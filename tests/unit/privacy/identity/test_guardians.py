"""A guardian's mark: the same for the same guardian and child, another one for everybody else."""

from __future__ import annotations

import pytest

from privacy.errors import Invalid
from privacy.identity.guardians import mark
from privacy.identity.keys import Keyring

PHONE = {"type": "phone", "value": "138 0013 8000"}


def test_a_mark_binds_one_guardian_to_one_child_whatever_the_spelling(keyring: Keyring) -> None:
    one = mark(keyring, bytes(16), PHONE)
    assert one == mark(keyring, bytes(16), {"type": "phone", "value": "+86 13800138000"})
    assert len({one, mark(keyring, b"2" * 16, PHONE), mark(keyring, bytes(16), {"type": "phone", "value": "13900139000"})}) == 3
    assert "13800138000" not in one


@pytest.mark.parametrize("given", [None, {}, "13800138000", {"type": "shoe", "value": "1"}, {"type": "phone", "value": "x"}])
def test_what_names_nobody_is_refused(keyring: Keyring, given: object) -> None:
    with pytest.raises(Invalid) as caught:
        mark(keyring, bytes(16), given)
    assert caught.value.code == "guardian_invalid"
