from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade():
    op.alter_column("customers", "name", new_column_name="full_name")


def downgrade():
    op.alter_column("customers", "full_name", new_column_name="name")
