"""What a bundle proves and what it cannot, in words: the page that lies on top for whoever opens it without us.

Promise: it says the same for every bundle of its kind and names nobody; what a proof does not reach is said as plainly as what it does.
"""

from __future__ import annotations

from collections.abc import Mapping

from privacy.audit.bundle import PERIOD, REQUEST, SUBJECT, WHOLE

HEAD: Mapping[str, str] = {
    "en": "A part of an access log, with the means to check it without the one who wrote it.",
    "zh": "访问日志的一部分，附有无需日志方参与即可核验的材料。",
}
HOW: Mapping[str, str] = {
    "en": "Check it with the verifier (one file, verify.py) and with keys that you got from somebody you trust, not from this file:\n"
    "    python verify.py THIS.zip --key LOG_KEY --witness WITNESS_KEY --held CHECKPOINT_THAT_YOU_KEPT",
    "zh": "请使用核验程序（单个文件 verify.py），并使用您从可信渠道（而非本文件）取得的公钥：\n"
    "    python verify.py 本文件.zip --key 日志公钥 --witness 见证方公钥 --held 您保存的检查点",
}
ALWAYS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Proven: every entry shown stands at its place in a tree whose head was signed; no entry shown was changed, moved, added or left out.",
        "Proven: what stands closed is bound by its commitment and could be opened later, and only as it was written.",
        "Proven: where a payload was erased, an entry of the log says so; the place of the entry in the tree is untouched.",
        "Not proven by itself: that there is no second log. For that, compare a checkpoint that you or a witness kept.",
        "Not proven: that everything that happened was logged. What the log was told stands here; what it was never told stands nowhere.",
    ),
    "zh": (
        "可证明：所列每条记录都位于树根已签名的哈希树中的相应位置；所列记录未被修改、移动、增加或删除。",
        "可证明：未公开的记录受其承诺值约束，日后只能按原样公开。",
        "可证明：内容已删除的记录，日志中有相应的删除记录；其在树中的位置不变。",
        "本文件自身不能证明：不存在第二份日志。请与您或见证方保存的检查点比对。",
        "不能证明：发生过的一切都被记录。日志只包含写入其中的内容。",
    ),
}
OF_SCOPE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    WHOLE: {
        "en": ("Complete: every entry up to the signed head is here, opened or recorded as erased.",),
        "zh": ("完整：截至已签名的树根，全部记录均在此，已公开或注明已删除。",),
    },
    PERIOD: {
        "en": (
            "Complete for its period: the entries beside it, without their content, show where it begins and ends. This rests on the log's clock.",
        ),
        "zh": ("在所述期间内完整：前后相邻的记录（不含内容）显示其起止位置。此结论以日志的时钟为准。",),
    },
    SUBJECT: {
        "en": (
            "What names this person is opened. That a closed entry is not about this person cannot be proven without opening it, which would show"
            " other people; an authority may ask to have entries that it chooses opened.",
            "Entries of batches count people and name none; whether this person is among them cannot be seen here.",
            "The log knows a person by a handle of its own that is used nowhere else.",
        ),
        "zh": (
            "涉及该个人的记录均已公开。未公开的记录与该个人无关这一点，不公开便无法证明，而公开会泄露他人信息；主管部门可要求公开其选定的记录。",
            "批量处理的记录只有人数、不含个人；该个人是否在其中，此处无法得知。",
            "日志以其专用、别处不使用的标识指代个人。",
        ),
    },
    REQUEST: {
        "en": ("What names this request is opened. That a closed entry does not belong to it cannot be proven without opening it.",),
        "zh": ("涉及该请求的记录均已公开。未公开的记录与该请求无关这一点，不公开便无法证明。",),
    },
}


def text(kind: str, language: str) -> str:
    """The statement of a kind of bundle in a language."""
    lines = [*OF_SCOPE[kind][language], *ALWAYS[language]]
    return "\n\n".join([HEAD[language], *(f"- {line}" for line in lines), HOW[language]]) + "\n"
