"""Acts of consent, receipts, notices. A person is a reference that leads nowhere, or nothing."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, text, whole
from app.shapes import Strict


class ConsentOut(Strict):
    receipt = text()
    recorded_at = moment()
    decided_at = moment()
    subject = text(none=True, description="the officers' reference of a person; null once the person is erased")
    purpose = text()
    state = text(enum=["granted", "withdrawn", "denied"])
    kind = text(enum=["explicit", "asserted"])
    method = text()
    source = text(none=True)
    source_name = text(none=True)
    notice = text(none=True)
    notice_version = text(none=True)
    default_state = text(none=True)
    language = text(none=True, description="in which the notice was shown")
    evidence = flag()
    valid_until = moment(none=True)
    by = text(none=True)
    entry = whole(none=True, description="the position in the access log of the entry that was written with the act")


class NoticeWordsOut(Strict):
    version = text()
    texts = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    purposes = many(fields.String())


class ReceiptOut(Strict):
    format = text()
    jws = text(description="the signed statement (RFC 7515)")
    notice = fields.Nested(NoticeWordsOut, required=True, allow_none=True)


class ReceiptCheckOut(Strict):
    name = text()
    state = text(enum=["good", "bad", "open"])
    number = whole(none=True)


class NoticeOut(NoticeWordsOut):
    notice = text(description="the hash of the words, which names them")
    published_at = moment()


class GrowthOut(Strict):
    size = whole()
    note = text(description="the newest checkpoint (C2SP tlog-checkpoint)")
    request = text(description="checkpoint and consistency proof from the size that was asked for (the body of C2SP add-checkpoint)")


class CosignedOut(Strict):
    size = whole()
    witnesses = many(fields.String())
    new = whole(description="how many of them were not kept yet")


class PackMadeOut(Strict):
    pack = text()


class PackOut(Strict):
    pack = text()
    scope = text(enum=["whole", "period", "subject", "request"])
    since = moment(none=True)
    until = moment(none=True)
    request = text(none=True)
    redaction = text(none=True, enum=["commitments", "hashes"])
    contents = many(fields.String())
    language = text(none=True)
    state = text(enum=["making", "ready", "failed", "over"])
    job = text(none=True)
    created_by = text()
    created_at = moment()
    expires_at = moment()
    size = whole(none=True, description="bytes")
    sha256 = text(none=True)
    signer = text(none=True, description="the verifier key of whoever signed the manifest")
    entries = whole(none=True, description="of the log whose head the pack proves")
    downloads = whole()
    downloads_left = whole()
