from alembic import op
import sqlalchemy as sa

revision = "0005"
down_revision = "0004"


def upgrade():
    op.add_column("customers", sa.Column("phone", sa.String(20)))
    op.execute("UPDATE customers SET phone = '+49 ' || id WHERE id % 2 = 0")


def downgrade():
    op.drop_column("customers", "phone")
