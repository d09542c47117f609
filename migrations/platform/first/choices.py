"""What each account chose for the console: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "account_choice",
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("theme", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_choice")),
    )
