from alembic import op
import sqlalchemy as sa

revision = "0020"
down_revision = "0019"


def upgrade():
    op.execute("DROP VIEW order_totals")
    op.alter_column("orders", "total", type_=sa.Numeric(14, 4))
    op.execute("CREATE VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1")


def downgrade():
    op.execute("DROP VIEW order_totals")
    op.alter_column("orders", "total", type_=sa.Numeric(12, 2))
    op.execute("CREATE VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1")
