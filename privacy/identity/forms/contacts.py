"""Contact lists for those who send in the controller's name: SMS, e-mail, WeChat.

Rule: these recipients need the address itself, so the lists are clear and leave only sealed to the recipient's public key (`identity.envelope`).
广告法 43 and 消保法 29 want every advertisement to carry its sender's true name, how to reach it and how to refuse: three constants stand in
every row, and a form without them is refused. `action` says add or remove, so that a suppression is the same file in the same form.
Promise: pure; refuses and never empties; a landline gets no SMS.
"""

from __future__ import annotations

from typing import Final

import pyarrow.compute as pc

from privacy.identity.forms import values
from privacy.identity.forms.shape import Form, Part

SENDER: Final = ("sender", "sender_contact", "opt_out")
"""Who sends, how that one is reached, and what a person does to be left alone (a word to answer, an address to open)."""

SMS: Final = Form(
    family="sms",
    parts=(Part("phone", "phone", lambda column, choice: values.phones(column, choice.region), "phone_malformed", hashed=False),),
    file="csv",
    sealed=True,
    constants=SENDER,
)
EMAIL: Final = Form(
    family="email",
    parts=(Part("email", "email", lambda column, _: values.emails(pc.utf8_lower(column)), "email_malformed", hashed=False),),
    file="csv",
    sealed=True,
    constants=SENDER,
)
WECHAT: Final = Form(
    family="wechat",
    parts=(
        Part("openid", "openid", lambda column, _: values.matching(column, r"^[A-Za-z0-9_\-]{6,64}$"), "openid_malformed", hashed=False),
        Part("unionid", "unionid", lambda column, _: values.matching(column, r"^[A-Za-z0-9_\-]{6,64}$"), "unionid_malformed", hashed=False),
    ),
    file="csv",
    sealed=True,
    constants=SENDER,
)
