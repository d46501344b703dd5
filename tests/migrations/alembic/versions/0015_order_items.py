from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade():
    op.rename_table("order_lines", "order_items")
    op.execute("ALTER SEQUENCE order_lines_id_seq RENAME TO order_items_id_seq")
    op.execute("ALTER INDEX order_lines_pkey RENAME TO order_items_pkey")


def downgrade():
    op.execute("ALTER INDEX order_items_pkey RENAME TO order_lines_pkey")
    op.execute("ALTER SEQUENCE order_items_id_seq RENAME TO order_lines_id_seq")
    op.rename_table("order_items", "order_lines")
