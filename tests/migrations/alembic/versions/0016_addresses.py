from alembic import op
import sqlalchemy as sa

revision = "0016"
down_revision = "0015"


def upgrade():
    op.create_table(
        "addresses",
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False,
                  index=True),
        sa.Column("street", sa.String(200)),
        sa.Column("country", sa.CHAR(2), nullable=False, server_default="DE"),
    )
    op.execute("INSERT INTO addresses (customer_id, street) SELECT id, 'Street ' || id FROM customers")
    op.create_index("addresses_de", "addresses", ["street"], postgresql_where=sa.text("country = 'DE'"))


def downgrade():
    op.drop_table("addresses")
