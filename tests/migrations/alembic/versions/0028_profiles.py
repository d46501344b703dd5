from alembic import op
import sqlalchemy as sa

revision = "0028"
down_revision = "0027"


def upgrade():
    op.create_table(
        "profiles",
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("full_name", sa.Text, nullable=False),
        sa.Column("initial", sa.Text, sa.Computed("left(full_name, 1)", persisted=True)),
    )
    op.execute("INSERT INTO profiles SELECT id, full_name FROM customers")
    op.drop_column("customers", "full_name")


def downgrade():
    op.add_column("customers", sa.Column("full_name", sa.Text))
    op.execute("UPDATE customers c SET full_name = p.full_name FROM profiles p WHERE p.customer_id = c.id")
    op.execute("UPDATE customers SET full_name = 'unknown' WHERE full_name IS NULL")
    op.alter_column("customers", "full_name", nullable=False)
    op.drop_table("profiles")
