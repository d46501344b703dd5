from alembic import op
import sqlalchemy as sa

revision = "0009"
down_revision = "0008"


def upgrade():
    op.add_column("orders", sa.Column("total", sa.Numeric(12, 2)))
    op.execute("UPDATE orders o SET total = (SELECT sum(l.quantity * p.price) FROM order_lines l "
               "JOIN products p ON p.id = l.product_id WHERE l.order_id = o.id)")
    op.execute("UPDATE orders SET total = 0 WHERE total IS NULL")
    op.alter_column("orders", "total", nullable=False, server_default="0")


def downgrade():
    op.drop_column("orders", "total")
