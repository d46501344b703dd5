from alembic import op
import sqlalchemy as sa

revision = "0022"
down_revision = "0021"


def upgrade():
    op.create_index("ix_events_kind", "events", ["kind"])
    op.add_column("events", sa.Column("weight", sa.Float, nullable=False, server_default="1.5"))


def downgrade():
    op.drop_column("events", "weight")
    op.drop_index("ix_events_kind")
