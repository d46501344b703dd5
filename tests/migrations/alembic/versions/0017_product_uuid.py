from alembic import op
import sqlalchemy as sa

revision = "0017"
down_revision = "0016"


def upgrade():
    op.add_column("products", sa.Column("public_id", sa.Uuid, nullable=False,
                                        server_default=sa.text("gen_random_uuid()")))
    op.create_unique_constraint("products_public_id", "products", ["public_id"])


def downgrade():
    op.drop_column("products", "public_id")
