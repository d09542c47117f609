"""What the endpoints of clients keep: buckets of requests, and the public keys that sources sign their assertions with."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "rate_bucket",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("filled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_rate_bucket")),
    )
    op.create_table(
        "source_client",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_client_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_client")),
    )
    op.create_index(op.f("ix_source_client_source_id"), "source_client", ["source_id"], unique=False)
