"""The first tables of data quality: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "quality",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("record", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("present", sa.BigInteger(), nullable=False),
        sa.Column("valid", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", "record", "field", name=op.f("pk_quality")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("grain", sa.String(length=6), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("lag_minute", sa.BigInteger(), nullable=False),
        sa.Column("lag_ten_minutes", sa.BigInteger(), nullable=False),
        sa.Column("lag_hour", sa.BigInteger(), nullable=False),
        sa.Column("lag_six_hours", sa.BigInteger(), nullable=False),
        sa.Column("lag_day", sa.BigInteger(), nullable=False),
        sa.Column("lag_week", sa.BigInteger(), nullable=False),
        sa.Column("lag_month", sa.BigInteger(), nullable=False),
        sa.Column("lag_more", sa.BigInteger(), nullable=False),
        sa.Column("last_event_at", sa.BigInteger(), nullable=False),
        sa.Column("last_received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "grain", "at", name=op.f("pk_delivery")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_owner",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "account_id", name=op.f("pk_source_owner")),
    )
