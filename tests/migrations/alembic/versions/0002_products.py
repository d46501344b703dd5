from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("sku", sa.String(32), nullable=False, unique=True),
        sa.Column("price", sa.Numeric(10, 2), nullable=False),
        sa.Column("stock", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint("price >= 0", name="products_price"),
    )
    table = sa.table("products", sa.column("sku"), sa.column("price"), sa.column("stock"))
    op.bulk_insert(table, [{"sku": f"sku {i}", "price": i / 4, "stock": i % 7} for i in range(40)])


def downgrade():
    op.drop_table("products")
