from alembic import op
import sqlalchemy as sa

revision = "0018"
down_revision = "0017"


def upgrade():
    op.drop_column("customers", "phone")


def downgrade():
    op.add_column("customers", sa.Column("phone", sa.BigInteger))
