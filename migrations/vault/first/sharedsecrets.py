"""Secrets shared with senders."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "source_secret",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", "number", name=op.f("pk_source_secret")),
    )
