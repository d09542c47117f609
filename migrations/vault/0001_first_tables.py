"""The vault's first tables: people, sealed identifiers, wrapped keys."""

import sqlalchemy as sa
from alembic import op

from migrations.vault.first import erased, holdings, identity, sharedsecrets

revision = "vault_0001"
down_revision = None


def upgrade() -> None:
    _privacy_identity_box()
    _privacy_identity_ephemeral()
    _privacy_identity_keystate()
    _privacy_identity_vault()
    sharedsecrets.create()
    identity.create()
    erased.create()
    holdings.create()
    _guards()


def _privacy_identity_box() -> None:
    op.create_table(
        "sealed_payload",
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("key_name", sa.String(length=200), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_sealed_payload")),
    )
    op.create_index(op.f("ix_sealed_payload_expires_at"), "sealed_payload", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sealed_payload_key_name"), "sealed_payload", ["key_name"], unique=False)


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
        sa.Column("next_person", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_meta")),
    )


def _privacy_identity_vault() -> None:
    op.create_table(
        "person",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("person", sa.LargeBinary(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("birth", sa.LargeBinary(length=128), nullable=True),
        sa.Column("youth", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_person")),
        sa.UniqueConstraint("person", name=op.f("uq_person_person")),
    )
    op.create_index(
        "ix_person_merged_into",
        "person",
        ["merged_into"],
        unique=False,
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "ix_person_youth",
        "person",
        ["youth"],
        unique=False,
        sqlite_where=sa.column("youth", sa.Boolean()),
        postgresql_where=sa.column("youth", sa.Boolean()),
    )
    op.create_table(
        "tombstone",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("erasure", sa.String(length=40), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_tombstone")),
        sa.UniqueConstraint("digest", name=op.f("uq_tombstone_digest")),
    )
    op.create_table(
        "data_key",
        sa.Column("person_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=128), nullable=False),
        sa.ForeignKeyConstraint(["person_no"], ["person.no"], name=op.f("fk_data_key_person_no")),
        sa.PrimaryKeyConstraint("person_no", name=op.f("pk_data_key")),
    )
    op.create_table(
        "identifier",
        sa.Column("index_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("person_no", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=512), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=24), server_default="same_record", nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_no"], ["person.no"], name=op.f("fk_identifier_person_no")),
        sa.PrimaryKeyConstraint("index_version", "digest", name=op.f("pk_identifier")),
    )
    op.create_index(op.f("ix_identifier_person_no"), "identifier", ["person_no"], unique=False)


def _guards() -> None:
    """The vault's rows are erased on purpose; nothing in it is append-only."""
