"""Deliveries of exports, pauses of recipients, removals after them: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    _register()
    _removals()


def _register() -> None:
    op.create_table(
        "export_delivery",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("batch", sa.String(length=40), nullable=False),
        sa.Column("lane", sa.String(length=32), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("first_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sending', 'waiting', 'acknowledged', 'dead')", name=op.f("ck_export_delivery_state")),
        sa.CheckConstraint("action IN ('add', 'remove')", name=op.f("ck_export_delivery_action")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_delivery")),
        sa.UniqueConstraint("batch", "lane", "part", name=op.f("uq_export_delivery_batch_lane_part")),
        sa.UniqueConstraint("key", name=op.f("uq_export_delivery_key")),
    )
    op.create_index(op.f("ix_export_delivery_recipient"), "export_delivery", ["recipient"], unique=False)
    op.create_index(op.f("ix_export_delivery_state"), "export_delivery", ["state"], unique=False)
    op.create_table(
        "export_pause",
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("recipient", name=op.f("pk_export_pause")),
    )


def _removals() -> None:
    op.create_table(
        "delivered_export",
        sa.Column("export", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=32), nullable=False),
        sa.Column("family", sa.String(length=40), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("way IN ('download', 'folder', 'push')", name=op.f("ck_delivered_export_way")),
        sa.PrimaryKeyConstraint("export", name=op.f("pk_delivered_export")),
    )
    op.create_index(op.f("ix_delivered_export_recipient"), "delivered_export", ["recipient"], unique=False)
    op.create_table(
        "export_absent",
        sa.Column("export", sa.String(length=40), nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("export", "person", name=op.f("pk_export_absent")),
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.String(length=40), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reason IN ('withdrawn', 'erased', 'corrected', 'revoked')", name=op.f("ck_suppression_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.UniqueConstraint("recipient", "person", "closed", name=op.f("uq_suppression_recipient_person_closed")),
    )
    op.create_index(op.f("ix_suppression_delta"), "suppression", ["delta"], unique=False)
    op.create_index("ix_suppression_person", "suppression", ["person"], unique=False)
    op.create_table(
        "suppression_delta",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("longest_seconds", sa.BigInteger(), nullable=True),
        sa.Column("total_seconds", sa.BigInteger(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_delta")),
    )
    op.create_index(op.f("ix_suppression_delta_recipient"), "suppression_delta", ["recipient"], unique=False)
    op.create_table(
        "suppression_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.BigInteger(), nullable=False),
        sa.Column("alarmed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_head")),
    )
