"""Names of people taken apart and made even: Chinese ones, which stand in one field, and those of other scripts.

Promise: pure; a name that cannot be taken apart is refused (null) and never halved by guess. A Han name is a surname of two characters if the
public list below has it, else of one, and one to three characters after it; a name with a middle dot is what stands before and after the
first dot; a Latin name of two words and more is its last word and the rest, or what stands around its one comma.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

COMPOUND: Final = (
    "欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯", "诸葛", "尉迟", "公羊", "赫连", "澹台", "皇甫",
    "宗政", "濮阳", "公冶", "太叔", "申屠", "公孙", "慕容", "仲孙", "钟离", "长孙", "宇文", "司徒", "鲜于", "司空", "闾丘", "子车", "亓官",
    "司寇", "巫马", "公西", "颛孙", "壤驷", "公良", "漆雕", "乐正", "宰父", "谷梁", "拓跋", "夹谷", "轩辕", "令狐", "段干", "百里", "呼延",
    "东郭", "南门", "羊舌", "微生", "公户", "公玉", "梁丘", "左丘", "东门", "西门", "第五", "欧陽", "司馬", "東方", "諸葛", "尉遲", "澹臺",
    "濮陽", "公孫", "鍾離", "長孫", "鮮于", "軒轅",
)  # fmt: skip
"""Surnames of two characters, those of the Hundred Family Surnames and their traditional spellings."""

_HAN: Final = rf"^(?P<last>{'|'.join(COMPOUND)}|\p{{Han}})(?P<first>\p{{Han}}{{1,3}})$"
_DOTTED: Final = r"^(?P<first>[^·・•‧]+)[·・•‧](?P<last>.+)$"
_COMMA: Final = r"^(?P<last>[^,，]+)[,，]\s*(?P<first>[^,，]+)$"
_WORDS: Final = r"^(?P<first>[^\p{Han},，]+)\s(?P<last>[^\p{Han},，\s]+)$"
_UNEVEN: Final = r"[\p{P}\p{S}]"


def split(names: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray]:
    """(last, first) of whole names that were cleaned before; both null where no rule takes a name apart."""
    last = first = pa.nulls(len(names), pa.string())
    for pattern in (_HAN, _DOTTED, _COMMA, _WORDS):
        found = pc.extract_regex(names, pattern=pattern)
        last = pc.coalesce(last, pc.utf8_trim_whitespace(pc.struct_field(found, "last")))
        first = pc.coalesce(first, pc.utf8_trim_whitespace(pc.struct_field(found, "first")))
    return last, first


def joined(values: pa.StringArray) -> pa.StringArray:
    """Lower case, every blank gone (Google); null where nothing is left."""
    return _some(pc.replace_substring_regex(pc.utf8_lower(values), r"[\s\p{Z}]", ""))


def unpunctuated(values: pa.StringArray) -> pa.StringArray:
    """Lower case without punctuation, letters of every script kept, blanks between words kept once (Meta); null where nothing is left."""
    bare = pc.replace_substring_regex(pc.utf8_lower(values), _UNEVEN, "")
    return _some(pc.utf8_trim_whitespace(pc.replace_substring_regex(bare, r"[\s\p{Z}]+", " ")))


def initials(values: pa.StringArray) -> pa.StringArray:
    """The first letter of what `unpunctuated` leaves."""
    return pc.utf8_slice_codeunits(unpunctuated(values), 0, 1)


def _some(values: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(pc.binary_length(values), 0), pa.scalar(None, pa.string()), values)
