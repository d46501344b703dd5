from alembic import op

revision = "0026"
down_revision = "0025"


def convert(new, using):
    op.execute(f"CREATE TYPE order_status_new AS ENUM ({new})")
    op.execute("ALTER TABLE orders ALTER status DROP DEFAULT")
    op.execute(f"ALTER TABLE orders ALTER status TYPE order_status_new USING ({using})::order_status_new")
    op.execute("ALTER TABLE orders ALTER status SET DEFAULT 'new'")
    op.execute("DROP TYPE order_status")
    op.execute("ALTER TYPE order_status_new RENAME TO order_status")


def upgrade():
    convert("'new', 'cancelled', 'paid', 'done'", "replace(status::text, 'shipped', 'done')")


def downgrade():
    convert("'new', 'cancelled', 'paid', 'shipped'", "replace(status::text, 'done', 'shipped')")
