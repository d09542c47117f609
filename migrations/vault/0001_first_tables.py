"""The vault's first tables: people, sealed identifiers, wrapped keys."""

import sqlalchemy as sa
from alembic import op

revision = "vault_0001"
down_revision = None


def upgrade() -> None:
    _privacy_identity_ephemeral()
    _privacy_identity_keystate()
    _privacy_identity_vault()
    _guards()


def _privacy_identity_ephemeral() -> None:
    op.create_table(
        "ephemeral_key",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("destroy_after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ephemeral_key")),
    )
    op.create_index(op.f("ix_ephemeral_key_destroy_after"), "ephemeral_key", ["destroy_after"], unique=False)


def _privacy_identity_keystate() -> None:
    op.create_table(
        "key_state",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check_value", sa.LargeBinary(length=16), nullable=False),
        sa.Column("activated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "version", name=op.f("pk_key_state")),
    )
    op.create_table(
        "vault_meta",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deployment", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_meta")),
    )


def _privacy_identity_vault() -> None:
    op.create_table(
        "person",
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.LargeBinary(length=32), nullable=False),
        sa.Column("merged_into", sa.LargeBinary(length=16), nullable=True),
        sa.Column("birth", sa.LargeBinary(length=128), nullable=True),
        sa.Column("youth", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_created_at"), "person", ["created_at"], unique=False)
    op.create_index(op.f("ix_person_merged_into"), "person", ["merged_into"], unique=False)
    op.create_index(op.f("ix_person_youth"), "person", ["youth"], unique=False)
    op.create_table(
        "person_merge",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("loser", sa.LargeBinary(length=16), nullable=False),
        sa.Column("winner", sa.LargeBinary(length=16), nullable=False),
        sa.Column("batch", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_person_merge")),
    )
    op.create_index(op.f("ix_person_merge_loser"), "person_merge", ["loser"], unique=False)
    op.create_index(op.f("ix_person_merge_winner"), "person_merge", ["winner"], unique=False)
    op.create_table(
        "tombstone",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_tombstone")),
        sa.UniqueConstraint("digest", name=op.f("uq_tombstone_digest")),
    )
    op.create_table(
        "data_key",
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=128), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.person"], name=op.f("fk_data_key_person")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_data_key")),
    )
    op.create_table(
        "identifier",
        sa.Column("index_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=512), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.person"], name=op.f("fk_identifier_person")),
        sa.PrimaryKeyConstraint("index_version", "digest", name=op.f("pk_identifier")),
    )
    op.create_index(op.f("ix_identifier_person"), "identifier", ["person"], unique=False)


def _guards() -> None:
    """The vault's rows are erased on purpose; nothing in it is append-only."""
