"""Rows that recipients hold, sealed: a part of revision vault_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "export_holding",
        sa.Column("export", sa.String(length=40), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("export", "handle", name=op.f("pk_export_holding")),
    )
    op.create_index("ix_export_holding_recipient_handle", "export_holding", ["recipient", "handle"], unique=False)
