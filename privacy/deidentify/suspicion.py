"""Possible names that no label gives away: a text in which one stands is doubted, and then dropped and counted, never stored.

Promise: only a doubt comes out, no span, because a guess would cut wrong: what is doubted goes as a whole. Texts of the greatest length
are walked once. The word lists are small and ours; a name that is also a word is told by its place in the sentence.
Pure; keeps no text. The figures behind the lists stand in decision 0019.

English (and any script with capitals): a capitalised word inside a sentence that is no known word, two such words side by side anywhere,
or one of the commonest given names in whatever case. Chinese: a surname and one or two characters that given names are made of, where
the pair is no ordinary word and what follows it can follow a person.
"""

from __future__ import annotations

import re

from privacy.deidentify.words import CHINESE_WORDS, GIVEN, GIVEN_CHARACTERS, KNOWN, SURNAMES, THINGS

_HAN = r"\u4e00-\u9fff"
_LETTER = rf"[^\W\d_{_HAN}]"
_TOKEN = re.compile(rf"(?<![^\W{_HAN}]){_LETTER}(?:{_LETTER}|['’](?={_LETTER}))*(?![^\W{_HAN}])")
"""A word of letters; one with digits in it is a code."""
_START = re.compile(r"(?:^|[.!?:;。！？：；…\n\r\t•|/⟩>)*=~–—])[\s\"'“”‘’(\[（【《*_-]*\Z")
_TAIL = 8
"""Characters before a word in which the sign that ends the sentence before it may stand."""
_PLACE = re.compile(r"\b(?:in|near|outside)\s\Z")
_WORDLIKE = re.compile(r"(?:tion|sion|tions|ment|ments|ness|ship|ance|ence|ology|tics|able|ible|ful|less|ly)\Z")
"""Endings that words have and names do not."""
_VOCATIVE = re.compile(r",\s(?:can|could|would|will|please|do|did|are|is|i|we|my|what|when|where|why|how|thank|thanks)\b", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’](?:s|m|re|ll|ve|d|t)\Z", re.IGNORECASE)
_FIELD_END = re.compile(r"[ .]{1,2}\Z")

_G = f"[{GIVEN_CHARACTERS}]"
_AFTER = (
    r"(?=$|[\s，。！？、；：,.!?;:~（）()]|说|给|帮|接|招|打|退|收|带|陪|一起|家|本人|哥|姐|叔|姨|妹|弟|让|告诉|态度|服务|推荐|热情"
    r"|很|真|太|特别|非常|超|做的|的|是|在|和|跟|送|写|买|下单|那|这|你|您|我|店|又|也|都|不|没|吗|呢|吧|了|来|去)"
)
_CHINESE = re.compile(rf"(?<![{_HAN}])(?P<name>(?:{SURNAMES}){_G}{{1,2}}){_AFTER}")
_INSIDE = re.compile(rf"(?P<name>(?:{SURNAMES}){_G}{{2}}){_AFTER}")
_CALLED = re.compile(
    rf"(?:谢谢|感谢|多谢|表扬|点名|找到?|叫|叫做|是|问|联系|点赞|夸|服务员|小哥|骑手|经理|老板|老师|朋友是|店员|员工|导购|客服|收银员?|师傅|同事|朋友|老公|老婆|儿子|女儿|和|跟|给|由|请)(?P<name>(?:{SURNAMES}){_G}{{1,2}}){_AFTER}"
)


CHEAP = (
    r"[\p{Ll}\p{N},)'’\"\]][ \t]+[\"'“(]?\p{Lu}[\p{L}'’]|\p{Lu}[\p{Ll}'’]+[ .]{1,2}\p{Lu}|^\s*\p{Lu}\p{Ll}+,|"
    rf"(?i:\b(?:{'|'.join(sorted(GIVEN))})\b)|(?:{SURNAMES})[{GIVEN_CHARACTERS}]"
)
"""A text without any of this is not suspicious (RE2, for whole columns at once)."""


def suspicious(text: str) -> bool:
    """Whether the name of somebody may stand in a plain text."""
    return _latin(text) or _chinese(text)


def _chinese(text: str) -> bool:
    for pattern in (_CHINESE, _INSIDE, _CALLED):
        for found in pattern.finditer(text):
            start, end = found.span("name")
            if not any(word in text[max(0, start - 1) : end + 1] for word in CHINESE_WORDS):
                return True
    return False


def _latin(text: str) -> bool:
    tokens = [(m.start(), m.end(), _POSSESSIVE.sub("", m[0])) for m in _TOKEN.finditer(text)]
    if not tokens:
        return False
    if any(word.lower() in GIVEN for _, _, word in tokens):
        return True
    odd = [_odd(word) for _, _, word in tokens]
    if not any(odd):
        return False
    runs = _runs(text, tokens)
    for run in runs:
        if any(tokens[i][2].lower() in THINGS for i in run):
            continue
        strange = [i for i in run if odd[i]]
        if len(strange) > 1 or (strange and _alone(text, *tokens[strange[0]][:2])):
            return True
    return False


def _alone(text: str, start: int, end: int) -> bool:
    """Whether one strange word makes a doubt: inside a sentence where no place is named, or called out at its beginning."""
    before = text[max(0, start - _TAIL) : start]
    return bool(_VOCATIVE.match(text, end)) if not before or _START.search(before) else not _PLACE.search(before)


def _odd(word: str) -> bool:
    """A capitalised word that is not in the list; all capitals are shouting or an abbreviation."""
    if len(word) < 2 or not word[0].isupper() or word.isupper():
        return False
    return word.lower() not in KNOWN and not _WORDLIKE.search(word)


def _runs(text: str, tokens: list[tuple[int, int, str]]) -> list[list[int]]:
    """Capitalised words side by side, initials between them included."""
    runs: list[list[int]] = []
    for index, (_, _, word) in enumerate(tokens):
        if not word[0].isupper():
            continue
        if runs and runs[-1][-1] == index - 1 and _FIELD_END.search(text[tokens[index - 1][1] : tokens[index][0]]):
            between = text[tokens[index - 1][1] : tokens[index][0]]
            if between == " " or len(tokens[index - 1][2]) <= 2:
                runs[-1].append(index)
                continue
        runs.append([index])
    return runs
