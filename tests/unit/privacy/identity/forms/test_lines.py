"""Files: RFC 4180, no cell that a spreadsheet runs, suppressions in the same form."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import cells
from privacy.identity.forms import book, china, contacts, lines, partner
from privacy.identity.forms.shape import Action, Choice, fill

SENDER = Choice(constants={"sender": "=皮影茶", "sender_contact": "400-800-8000", "opt_out": "回复T退订"})


def read(parts: list[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(parts).decode(), newline=""), strict=True))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.none() | st.integers(-9, 9)), max_size=6
    )
)
def test_whatever_is_written_can_be_read_again(rows: list[tuple[str | None, int | None]]) -> None:
    table = pa.table({"=text": pa.array([one for one, _ in rows], pa.string()), "number": pa.array([one for _, one in rows], pa.int64())})
    wanted = [["" if text is None else cells.safe(text), "" if number is None else str(number)] for text, number in rows]
    assert read(list(lines.csv(table))) == [["'=text", "number"], *wanted]


def test_a_formula_in_a_name_stays_a_name() -> None:
    """Attack 25."""
    (line,) = lines.csv(pa.table({"name": ['=HYPERLINK("http://x","y")'], "city": ["北京,上海"]}), header=False)
    assert line.decode() == '"\'=HYPERLINK(""http://x"",""y"")","北京,上海"\r\n'


def test_a_telephone_keeps_its_plus_and_a_text_in_its_column_that_is_none_is_guarded() -> None:
    table = pa.table({"phone": ["+8613800138000", "+1+cmd|' /C calc'!A0", "=1", "@x"]})
    assert [row[0] for row in read(list(lines.csv(table, header=False, bare=["phone"])))] == [
        "+8613800138000", "'+1+cmd|' /C calc'!A0", "'=1", "'@x",
    ]  # fmt: skip


def test_a_contact_list_names_sender_and_way_out_in_every_row_and_says_add_or_remove() -> None:
    filled = fill(contacts.SMS, {"phone": pa.array(["13800138000", "13912345678"])}, SENDER)
    assert read(list(lines.file(filled, Action.REMOVE))) == [
        ["phone", "sender", "sender_contact", "opt_out", "action"],
        ["+8613800138000", "'=皮影茶", "400-800-8000", "回复T退订", "remove"],
        ["+8613912345678", "'=皮影茶", "400-800-8000", "回复T退订", "remove"],
    ]
    for form, source, text in ((contacts.EMAIL, "email", "Li@qq.com"), (contacts.WECHAT, "openid", "oABC_def-123")):
        made = read(list(lines.file(fill(form, {source: pa.array([text])}, SENDER), Action.ADD)))
        assert made[1][0].lower() == text.lower()
        assert made[1][-1] == "add"
    assert all(book.form(family).sealed for family in ("sms", "email", "wechat"))


def test_a_chinese_platform_gets_one_column_without_a_header() -> None:
    for form in (china.DAMOPAN, china.DATABANK, china.OCEAN_ENGINE, china.TENCENT_ADS):
        parts = list(lines.file(fill(form, {"phone": pa.array(["13800138000"])}), Action.ADD))
        assert b"".join(parts) == b'"a6942f9771d67f34034d2f1926988ed3fad3bf1b4e7cedb9a31f31398dea43bc"\r\n'
        assert form.sealed
        assert not form.abroad


def test_a_file_of_many_pieces_is_the_file_of_one() -> None:
    count = lines.ROWS + 10
    table = pa.table({"a": [str(number) for number in range(count)]})
    parts = list(lines.csv(table))
    assert len(parts) == 3
    assert len(read(parts)) == count + 1


def test_every_form_is_described_without_leaving_a_column_out() -> None:
    for family, form in book.FORMS.items():
        said = book.description(form)
        assert said["family"] == family
        assert [one["header"] for one in said["columns"]] == [part.header for part in form.parts] + list(form.constants)
        assert said["add"] != said["remove"]
    assert {family for family, form in book.FORMS.items() if form.abroad} == {"google", "meta", "tiktok", "linkedin", "x"}


def test_a_suppression_of_a_partner_is_its_own_pseudonyms_and_the_word() -> None:
    assert partner.removal(pa.array(["b" * 32, "a" * 32])).to_pylist() == [
        {"person": "a" * 32, "action": "remove"},
        {"person": "b" * 32, "action": "remove"},
    ]
