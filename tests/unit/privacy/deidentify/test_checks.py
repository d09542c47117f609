"""Check digits are exact: one wrong digit and it is no such identifier."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn as reference
from stdnum.iso7064 import mod_11_2

from privacy.deidentify import checks


@given(st.text("0123456789", min_size=2, max_size=19).filter(lambda d: len(set(d)) > 1))
def test_the_check_digit_of_cards_is_that_of_the_reference(digits: str) -> None:
    assert checks.luhn(digits) == reference.is_valid(digits)


@given(st.text("0123456789", min_size=17, max_size=17).filter(lambda d: d[0] != "0"))
def test_the_check_character_of_resident_ids_is_that_of_the_reference(digits: str) -> None:
    whole = digits[:6] + "19900101" + digits[14:]
    right = mod_11_2.calc_check_digit(whole)
    assert checks.resident_id(whole + right)
    assert not any(checks.resident_id(whole + other) for other in "0123456789X" if other != right)


def test_a_resident_id_needs_a_day_that_exists() -> None:
    whole = "110105" + "19900231" + "002"
    assert not checks.resident_id(whole + mod_11_2.calc_check_digit(whole))
    assert not checks.resident_id("１１０１０５１９４９１２３１００２Ｘ")


def test_old_ids_cards_accounts_and_addresses() -> None:
    assert checks.old_resident_id("110105491231002")
    assert not checks.old_resident_id("110105491331002")
    assert checks.card("4111111111111111")
    assert not checks.card("4111111111111112")
    assert not checks.card("0000000000000000")
    assert checks.card("4222222222222", rare=True)
    assert not checks.card("4222222222222")
    assert checks.iban("GB82 WEST 1234 5698 7654 32") == 27
    assert checks.iban("GB82WEST12345698765432 was paid") == 22
    assert not any(map(checks.iban, ("GB82 WEST 1234 5698 7654 33", "GB82WEST123456987654321", "short", "")))
    assert checks.ip("::1")
    assert not checks.ip("300.1.1.1")


def test_a_credit_code_of_a_trader_is_known_by_its_check_character() -> None:
    assert checks.uscc("91350100M000100Y43")
    assert not checks.uscc("91350100M000100Y44")
    assert not checks.uscc("911101051949123100")
    assert not checks.uscc("91350100M000100Y4O")
