from alembic import op
import sqlalchemy as sa

revision = "0021"
down_revision = "0020"


def upgrade():
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "at"),
        postgresql_partition_by="RANGE (at)",
    )
    op.execute("CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2020-01-01 00:00+00')")
    op.execute("CREATE TABLE events_now PARTITION OF events FOR VALUES FROM ('2020-01-01 00:00+00') TO "
               "('2100-01-01 00:00+00')")
    op.execute("CREATE TABLE events_default PARTITION OF events DEFAULT")
    op.execute("INSERT INTO events (at, kind) SELECT timestamptz '2010-01-01 00:00+00' + i * interval '300 days', "
               "'kind ' || i % 3 FROM generate_series(1, 60) i")


def downgrade():
    op.drop_table("events")
