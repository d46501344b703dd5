from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"


def upgrade():
    op.drop_table("addresses")
    op.create_table(
        "addresses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id", ondelete="CASCADE")),
        sa.Column("lines", postgresql.ARRAY(sa.Text), nullable=False),
    )
    op.execute("INSERT INTO addresses (customer_id, lines) SELECT id, ARRAY['c/o', email] FROM customers")


def downgrade():
    op.drop_table("addresses")
    op.create_table(
        "addresses",
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        sa.Column("customer_id", sa.Integer, sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False,
                  index=True),
        sa.Column("street", sa.String(200)),
        sa.Column("country", sa.CHAR(2), nullable=False, server_default="DE"),
    )
    op.create_index("addresses_de", "addresses", ["street"], postgresql_where=sa.text("country = 'DE'"))
