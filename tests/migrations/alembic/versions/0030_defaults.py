from alembic import op
import sqlalchemy as sa

revision = "0030"
down_revision = "0029"


def upgrade():
    op.alter_column("products", "stock", server_default="5")
    op.alter_column("orders", "extra", server_default=None)
    op.alter_column("events", "weight", nullable=True)
    op.alter_column("addresses", "lines", new_column_name="Address lines", server_default=sa.text("ARRAY['none']"))


def downgrade():
    op.alter_column("addresses", "Address lines", new_column_name="lines", server_default=None)
    op.execute("LOCK TABLE events")
    op.execute("UPDATE events SET weight = 0 WHERE weight IS NULL")
    op.alter_column("events", "weight", nullable=False)
    op.alter_column("orders", "extra", server_default='{"source": "web"}')
    op.alter_column("products", "stock", server_default="0")
