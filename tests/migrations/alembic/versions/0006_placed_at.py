from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade():
    op.add_column("orders", sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False,
                                      server_default=sa.func.now()))
    op.add_column("orders", sa.Column("flags", postgresql.ARRAY(sa.Text), nullable=False, server_default="{}"))
    op.add_column("orders", sa.Column("extra", postgresql.JSONB, server_default='{"source": "web"}'))


def downgrade():
    op.drop_column("orders", "extra")
    op.drop_column("orders", "flags")
    op.drop_column("orders", "placed_at")
