from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade():
    op.execute("DELETE FROM order_items a USING order_items b WHERE a.id > b.id AND a.order_id = b.order_id "
               "AND a.product_id = b.product_id")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY \"order_items by product\" ON order_items (product_id, id DESC) "
                   "INCLUDE (quantity)")
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY order_items_both ON order_items (order_id, product_id, id)")
    op.execute("ALTER TABLE order_items ADD CONSTRAINT order_items_once UNIQUE USING INDEX order_items_both")


def downgrade():
    op.drop_constraint("order_items_once", "order_items")
    op.drop_index("order_items by product")
