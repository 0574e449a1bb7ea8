"""People, their roles and sessions; keys that expire; the record of who changed what.

Revision: 0024, after 0023.
Expand: old code does not know them, and takes keys that expired for good until it is replaced.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column("keys", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.create_table(
        "people",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("barred_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_people")),
        sa.UniqueConstraint(
            "tenant_id", "issuer", "subject", name=op.f("uq_people_tenant_id_issuer_subject")
        ),
    )
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("team", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source IN ('claim', 'grant')", name=op.f("ck_roles_source_is_known")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_roles")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "role",
            "team",
            "source",
            name=op.f("uq_roles_tenant_id_person_id_role_team_source"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("person_id", sa.BigInteger),
        sa.Column("role_id", sa.BigInteger),
        sa.Column("key_id", sa.Text),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (key_id IS NULL)",
            name=op.f("ck_sessions_of_a_person_or_a_key"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("pk_sessions")),
    )
    op.create_table(
        "audit_log",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("did", sa.Text, nullable=False),
        sa.Column("noun", sa.Text, nullable=False),
        sa.Column("noun_id", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("before", postgresql.JSONB(none_as_null=True)),
        sa.Column("after", postgresql.JSONB(none_as_null=True)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["tenant_id", "at"])
    op.create_index("ix_audit_log_noun", "audit_log", ["tenant_id", "noun", "noun_id"])


def downgrade() -> None:
    op.drop_table("audit_log")
    op.drop_table("sessions")
    op.drop_table("roles")
    op.drop_table("people")
    op.drop_column("keys", "last_used_at")
    op.drop_column("keys", "expires_at")
