"""Free text without direct identifiers: each is replaced by a typed placeholder such as ⟨phone⟩.

Promise: placeholders tell the kind and nothing else, so that two texts of one person are not linkable by them; a text that still looks
as if a person stood in it is not given at all (null, low confidence). Scrubbing twice is scrubbing once.
Pure; values are looked at once for each distinct text and forgotten. Recall, and what it costs in clean texts: decision 0019.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from privacy.deidentify import context, detectors, layers, suspicion
from privacy.deidentify.characters import NUMERALS, plain
from privacy.deidentify.detectors import Span

LONGEST = 10_000
"""Characters of one text. A longer one is doubted unread: no form sends it and every pattern would have to walk it."""

LABEL = 24
"""Characters before an encoded piece in which its label may stand."""

_DIGITS = "".join(NUMERALS) + "0-9"
_RUN = "|".join(rf"[A-Za-z0-9+/_-]{{{k}}}[0-9A-Z+/_-][A-Za-z0-9+/_-]{{{9 - k}}}" for k in range(10))
"""Ten characters of base64 or hexadecimal in a row: not all of them are small letters, as a word's are."""

_ODD = "|".join(
    (
        r"[@%&=\\\p{Cf}\p{M}]|[^\p{Latin}\p{Han}0-9\s\p{P}\p{So}\p{Sm}\p{Sc}\p{Sk}]",
        r"[\x{FF02}-\x{FF07}\x{FF0A}\x{FF0B}\x{FF0D}-\x{FF19}\x{FF1C}-\x{FF1E}\x{FF20}-\x{FF5E}\x{FE50}-\x{FE6F}]",
        rf"[{_DIGITS}](?:[^A-Za-z0-9\p{{Han}}]{{0,4}}[{_DIGITS}]){{6,}}|[{_DIGITS}](?:[^A-Za-z0-9\p{{Han}}]{{0,4}}[{_DIGITS}]){{4,}}\s?(?i:{context.LINES})",
        r"[0-9]\.[0-9]{1,3}\.[0-9]|[0-9A-Fa-f]?:[0-9A-Fa-f]{0,4}:",
        _RUN,
        rf"(?i:{context.NUMBERED})[^\n]{{0,24}}[0-9]|[0-9][^\n]{{0,3}}(?:楼|座|房|层|弄|号|栋|幢)|[村里厦场]\s?[0-9]|[0-9][A-Za-z]?,?\s+[\p{{Lu}}]",
        rf"{context.WORDS}|[{context.PROVINCES}][A-Z]",
        r"(?i:wechat|weixin|\bvx|\bqq|telegram|passport|\bat\b|name\b|name[\"' ]{0,3}[:：]|recipient|\b(?:mr|mrs|ms|miss|dr|prof)\b)",
        r"(?i:(?:open|union)[ _-]?id|receiver|consignee|addressee|contact person|\battn\b|\baddress|[ _-]to[\"' ]{0,3}[:：])",
        r"(?i:\b(?:live|lives|lived|living|resid|moved|locate|located)\b|\b(?:ship|send|sent|deliver)|corner of)",
        r"(?i:\b(?:apt|suite|unit|box|psc|flat)\b|I am called)",
        suspicion.CHEAP,
    )
)
"""A text without any of this passes untouched (checked for whole columns at once)."""

_ODD_CODE = r"^\s*\+?[\d\s\-.()]{7,}\s*$|\d[\d\s\-.()]{9,}|@|%|&#|\\|[A-Za-z0-9+/_-]{15,}|[^\x20-\x7E]"


def scrub(values: pa.StringArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Each text with placeholders, or null where the scrubber doubts; and whether it doubts. Absent stays absent, without doubt."""
    encoded = pc.dictionary_encode(values)
    texts = encoded.dictionary
    odd = pc.or_(pc.match_substring_regex(texts, _ODD), pc.greater(pc.utf8_length(texts), LONGEST))
    clean: list[str | None] = texts.to_pylist()
    unsure = [False] * len(clean)
    for position in pc.indices_nonzero(odd).to_pylist():
        clean[position], unsure[position] = _settled(clean[position] or "")
    taken = pc.take(pa.array(clean, pa.string()), encoded.indices)
    return taken, pc.fill_null(pc.take(pa.array(unsure, pa.bool_()), encoded.indices), fill_value=False)


def identifying(values: pa.StringArray) -> pa.BooleanArray:
    """Whether each value, meant to be a code or a word, carries a direct identifier in it, also under one layer of encoding."""
    odd = pc.fill_null(pc.match_substring_regex(values, _ODD_CODE), fill_value=False)
    found = [False] * len(values)
    positions = pc.indices_nonzero(odd).to_pylist()
    for position, value in zip(positions, pc.take(values, pa.array(positions, pa.int64())).to_pylist(), strict=True):
        found[position] = _identifies(value)
    return pa.array(found, pa.bool_())


def _identifies(value: str) -> bool:
    if len(value) > LONGEST:
        return True
    text = plain(value).text
    if next(detectors.strict(text), None):
        return True
    return any(next(detectors.strict(plain(clear).text), None) for _, _, clear in layers.pieces(text))


def _settled(value: str) -> tuple[str | None, bool]:
    """A text that was changed is read once more: if it would change again, something was hidden in it, and it is doubted."""
    clean, doubt = _scrub(value)
    if clean is None or clean == value or _scrub(clean) == (clean, False):
        return clean, doubt
    return None, True


def _scrub(value: str) -> tuple[str | None, bool]:
    if len(value) > LONGEST:
        return None, True
    view = plain(value)
    spans = _apart(detectors.wide(view.text))
    hidden, doubt = _hidden(view.text)
    spans = _apart([*spans, *hidden])
    masked = _blank(view.text, spans)
    spans = _apart(
        [*spans, *detectors.numbered_elsewhere(masked), *context.accounts(masked), *context.places(masked), *context.names(masked)]
    )
    rest = _blank(view.text, spans)
    if doubt or context.doubtful(rest) or suspicion.suspicious(rest):
        return None, True
    pieces = []
    end = 0
    for start, stop, kind in sorted(spans):
        first, last = view.span(start, stop)
        pieces += [value[end:first], f"⟨{kind}⟩"]
        end = last
    return "".join(pieces) + value[end:], False


def _hidden(text: str) -> tuple[list[Span], bool]:
    """Encoded pieces that carry an identifier or what the label before them names, and whether one is doubtful or encoded twice."""
    found: list[Span] = []
    doubt = False
    for start, end, clear in layers.pieces(text):
        inner, label = plain(clear).text, text[max(0, start - LABEL) : start]
        hit = next(detectors.wide(inner), None) or next(detectors.numbered_elsewhere(inner), None) or _told(label, inner)
        if hit:
            found.append((start, end, hit[2]))
        elif (len(inner) >= 10 and layers.encoded(inner)) or _doubted(label, inner):
            doubt = True
    return found, doubt


def _told(label: str, inner: str) -> Span | None:
    """What the words before a decoded piece, or in it, say that it is."""
    text = label + inner
    for detect in (context.accounts, context.places, context.names):
        for span in detect(text):
            if span[1] > len(label):
                return span
    return None


def _doubted(label: str, inner: str) -> bool:
    """Whether it is the decoded piece that makes its text doubtful."""
    return context.labelled(label + inner) and not context.labelled(label)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap: an earlier-found one wins, and one that only adds around it is cut off."""
    kept: list[Span] = []
    for start, end, kind in spans:
        if all(end <= s or start >= e for s, e, _ in kept):
            kept.append((start, end, kind))
    return kept


def _blank(text: str, spans: Iterable[Span]) -> str:
    """The text with what was found made invisible to the next detectors, positions unchanged."""
    for start, end, _ in spans:
        text = text[:start] + "\x00" * (end - start) + text[end:]
    return text
