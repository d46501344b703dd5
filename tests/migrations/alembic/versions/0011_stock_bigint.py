from alembic import op
import sqlalchemy as sa

revision = "0011"
down_revision = "0010"


def upgrade():
    op.alter_column("products", "stock", type_=sa.BigInteger)


def downgrade():
    op.alter_column("products", "stock", type_=sa.Integer)
