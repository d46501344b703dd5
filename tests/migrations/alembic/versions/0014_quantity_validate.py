from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade():
    op.execute("ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_quantity")
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_parent")
    op.drop_constraint("orders_parent", "orders")


def downgrade():
    op.create_foreign_key("orders_parent", "orders", "customers", ["customer_id"], ["id"], postgresql_not_valid=True)
