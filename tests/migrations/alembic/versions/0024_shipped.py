from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade():
    op.execute("ALTER TYPE order_status RENAME VALUE 'sent' TO 'shipped'")


def downgrade():
    op.execute("ALTER TYPE order_status RENAME VALUE 'shipped' TO 'sent'")
