"""The Chinese platforms' lists of telephones: 达摩盘, 数据银行, 巨量引擎, 腾讯广告.

Rule (wire.md 5.5): the eleven digits of a mainland mobile number, without +86, hashed with SHA-256, or with MD5 where the platform takes
nothing else (`Choice.digest`, agreed and stood in the recipient's registration; to be verified at integration, as wire.md says). One column,
no header, a file of its own for additions and for removals. A landline and a number from elsewhere are refused and counted.
MD5 of eleven digits is undone in seconds, SHA-256 in minutes: neither protects a number, so these files are sealed in transit like clear ones.
Promise: pure; refuses and never empties.
"""

from __future__ import annotations

from typing import Final

from privacy.identity.forms import values
from privacy.identity.forms.digests import MD5, SHA256
from privacy.identity.forms.shape import Form, Part


def _phones(family: str) -> Form:
    return Form(
        family=family,
        parts=(Part("phone", "phone", lambda column, _: values.chinese_mobiles(column), "phone_not_a_chinese_mobile"),),
        file="csv",
        header=False,
        sealed=True,
        digests=(SHA256, MD5),
    )


DAMOPAN: Final = _phones("damopan")
DATABANK: Final = _phones("databank")
OCEAN_ENGINE: Final = _phones("ocean_engine")
TENCENT_ADS: Final = _phones("tencent_ads")
