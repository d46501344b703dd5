from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade():
    op.execute("CREATE VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1")


def downgrade():
    op.execute("DROP VIEW order_totals")
