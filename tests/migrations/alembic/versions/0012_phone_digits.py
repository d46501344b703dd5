from alembic import op
import sqlalchemy as sa

revision = "0012"
down_revision = "0011"


def upgrade():
    op.alter_column("customers", "phone", type_=sa.BigInteger,
                    postgresql_using="nullif(left(regexp_replace(phone, '[^0-9]', '', 'g'), 15), '')::bigint")


def downgrade():
    op.alter_column("customers", "phone", type_=sa.String(40), postgresql_using="'+' || phone")
