from alembic import op
import sqlalchemy as sa

revision = "0004"
down_revision = "0003"


def upgrade():
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.Integer, sa.ForeignKey("orders.id", ondelete="CASCADE"), nullable=False),
        sa.Column("product_id", sa.BigInteger, sa.ForeignKey("products.id"), nullable=False),
        sa.Column("quantity", sa.SmallInteger, nullable=False, server_default="1"),
    )
    op.execute("INSERT INTO order_lines (order_id, product_id) SELECT o.id, p.id FROM orders o, LATERAL "
               "(SELECT id FROM products ORDER BY id LIMIT 2) p")


def downgrade():
    op.drop_table("order_lines")
