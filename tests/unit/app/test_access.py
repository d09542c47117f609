"""What is not listed is denied; a code opens once, a token never more than its owner may, and no secret is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app import access
from app.access import Account, SetupCode, Token
from app.stores import Stores
from privacy.errors import Conflict, Invalid, NotFound, Refused

ADA = "ada@example.com"


def test_no_role_holds_what_two_people_must_hold_apart() -> None:
    """SHAPES "Roles": exact numbers never with asking for reports, administration never with people."""
    roles = access.matrix()
    assert set(roles) == {"integrator", "marketer", "officer", "administrator"}
    assert not [role for role, may in roles.items() if {"exact.read", "report.ask"} <= may]
    assert not {"person.find", "person.reveal", "consent.edit", "report.ask", "exact.read"} & roles["administrator"]
    assert not {"key.edit", "user.edit"} & (roles["officer"] | roles["marketer"] | roles["integrator"])
    assert [role for role, may in roles.items() if "person.reveal" in may] == ["officer"]


def test_a_code_becomes_a_token_once(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, code = access.add_account(tx, ADA, "officer", now=now)
        assert access.redeem(tx, code, now=now)[0] == account
        with pytest.raises(Refused) as used:
            access.redeem(tx, code, now=now)
        with pytest.raises(Refused) as unknown:
            access.redeem(tx, "no such code", now=now)
    assert used.value.code == unknown.value.code == "bad_setup_code"
    assert used.value.message == unknown.value.message


def test_a_code_ends_after_three_days_and_with_the_next_code(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, code = access.add_account(tx, ADA, "officer", now=now)
        with pytest.raises(Refused):
            access.redeem(tx, code, now=now + access.SETUP_CODE_LIFETIME)
        later = access.new_setup_code(tx, account, now=now)
        with pytest.raises(Refused):
            access.redeem(tx, code, now=now)
        assert access.redeem(tx, later, now=now + access.SETUP_CODE_LIFETIME - timedelta(seconds=1))[0] == account


def test_a_token_speaks_for_its_owner_until_it_ends(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, code = access.add_account(tx, ADA, "marketer", now=now)
        _, token = access.redeem(tx, code, now=now)
        caller = access.caller(tx, token, now=now)
        assert caller is not None
        assert (caller.account_id, caller.role, caller.permissions) == (account, "marketer", access.matrix()["marketer"])
        assert access.caller(tx, token, now=now + access.TOKEN_LIFETIME) is None
        assert access.caller(tx, token + "x", now=now) is None
        tx.execute(sa.update(Token).values(revoked_at=now))
        assert access.caller(tx, token, now=now) is None


def test_a_disabled_owner_has_no_voice_and_gets_no_token(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, code = access.add_account(tx, ADA, "marketer", now=now)
        token = access.new_token(tx, account, now=now)
        tx.execute(sa.update(Account).values(disabled_at=now))
        assert access.caller(tx, token, now=now) is None
        with pytest.raises(NotFound):
            access.new_token(tx, account, now=now)
    with pytest.raises(NotFound), stores.begin_platform() as tx:
        access.redeem(tx, code, now=now)
    with stores.read_platform() as tx:
        assert tx.execute(sa.select(SetupCode.used_at)).scalar_one() is None


def test_a_token_carries_a_part_of_its_owners_permissions_and_never_more(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, _ = access.add_account(tx, ADA, "marketer", now=now)
        caller = access.caller(tx, access.new_token(tx, account, now=now, scopes=["budget.read"]), now=now)
        assert caller is not None
        assert caller.permissions == {"budget.read"}
        with pytest.raises(Refused) as refused:
            access.new_token(tx, account, now=now, scopes=["budget.read", "person.reveal"])
        assert refused.value.code == "scope_not_allowed"
        less = access.caller(tx, access.new_token(tx, account, now=now, scopes=[]), now=now)
        assert less is not None
        assert less.permissions == frozenset()


def test_an_older_token_loses_what_a_new_role_does_not_have(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, _ = access.add_account(tx, ADA, "marketer", now=now)
        token = access.new_token(tx, account, now=now)
        tx.execute(sa.update(Account).values(role="administrator"))
        caller = access.caller(tx, token, now=now)
        assert caller is not None
        assert caller.permissions == access.matrix()["marketer"] & access.matrix()["administrator"]


def test_no_code_and_no_token_stands_in_the_store(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        account, code = access.add_account(tx, ADA, "marketer", now=now)
        token = access.new_token(tx, account, now=now)
        kept = [repr(tuple(row)) for table in (Account, SetupCode, Token) for row in tx.execute(sa.select(table.__table__))]
        assert not [row for row in kept if code in row or token in row]
        assert {len(digest) for digest in tx.scalars(sa.select(Token.digest))} == {32}


@pytest.mark.parametrize(
    ("email", "role", "error", "code"),
    [
        ("nobody", "marketer", Invalid, "bad_email"),
        ("a@" + "b" * 320, "marketer", Invalid, "bad_email"),
        ("b@example.com", "king", Invalid, "unknown_role"),
        (ADA, "marketer", Conflict, "account_exists"),
    ],
)
def test_an_account_needs_an_address_of_its_own_and_a_known_role(
    sqlite: Stores, now: datetime, email: str, role: str, error: type[Exception], code: str
) -> None:
    with sqlite.begin_platform() as tx:
        Account.metadata.create_all(tx)
        access.add_account(tx, ADA, "officer", now=now)
        with pytest.raises(error) as wrong:
            access.add_account(tx, email, role, now=now)
        assert getattr(wrong.value, "code", None) == code
        assert email not in str(wrong.value)


def test_accounts_are_listed_without_secrets_and_found_by_address(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        first, _ = access.add_account(tx, ADA, "officer", now=now)
        access.add_account(tx, "bo@example.com", "marketer", now=now + timedelta(seconds=1))
        assert access.account_id_of(tx, ADA) == first
        with pytest.raises(NotFound):
            access.account_id_of(tx, "cai@example.com")
        listed = access.accounts(tx)
    assert [set(one) for one in listed] == [{"user", "email", "role", "disabled"}] * 2
    assert [one["email"] for one in listed] == [ADA, "bo@example.com"]
