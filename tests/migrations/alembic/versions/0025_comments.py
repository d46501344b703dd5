from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade():
    op.create_table_comment("orders", "what was bought, it's \"all\" here")
    op.alter_column("orders", "note", comment="as the customer wrote it")
    op.execute("COMMENT ON INDEX ix_orders_customer_id IS 'for the list of a customer'")


def downgrade():
    op.execute("COMMENT ON INDEX ix_orders_customer_id IS NULL")
    op.alter_column("orders", "note", comment=None, existing_comment="as the customer wrote it")
    op.drop_table_comment("orders")
