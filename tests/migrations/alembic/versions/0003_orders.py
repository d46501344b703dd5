from alembic import op
import sqlalchemy as sa

revision = "0003"
down_revision = "0002"


def upgrade():
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id", name="orders_customer"), nullable=False),
        sa.Column("status", sa.Enum("new", "paid", "sent", name="order_status"), server_default="new"),
        sa.Column("note", sa.Text),
    )
    op.execute("INSERT INTO orders (customer_id, note) SELECT id, 'order of ' || id FROM customers ORDER BY id LIMIT 80")


def downgrade():
    op.drop_table("orders")
    sa.Enum(name="order_status").drop(op.get_bind())
