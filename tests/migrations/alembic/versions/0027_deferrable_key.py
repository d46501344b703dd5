from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade():
    op.drop_constraint("orders_customer", "orders")
    op.create_foreign_key("orders_customer", "orders", "customers", ["customer_id"], ["id"], ondelete="CASCADE",
                          deferrable=True, initially="DEFERRED")


def downgrade():
    op.drop_constraint("orders_customer", "orders")
    op.create_foreign_key("orders_customer", "orders", "customers", ["customer_id"], ["id"])
