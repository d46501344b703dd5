from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'cancelled' AFTER 'new'")
    op.execute("UPDATE orders SET status = 'cancelled' WHERE id % 10 = 0")


def downgrade():
    op.execute("UPDATE orders SET status = 'new' WHERE status = 'cancelled'")
