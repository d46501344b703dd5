from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade():
    op.create_check_constraint("order_lines_quantity", "order_lines", "quantity > 0", postgresql_not_valid=True)
    op.create_foreign_key("orders_parent", "orders", "customers", ["customer_id"], ["id"], postgresql_not_valid=True)


def downgrade():
    op.drop_constraint("orders_parent", "orders")
    op.drop_constraint("order_lines_quantity", "order_lines")
