import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0015_drop_price")]
    operations = [
        migrations.CreateModel(
            name="Publisher",
            fields=[
                ("id", models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID())),
                ("name", models.CharField(max_length=100)),
                ("data", models.JSONField(default=dict)),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO shop_publisher (name, data) SELECT 'Publisher ' || i, '{\"a\": [1, null]}' "
            "FROM generate_series(1, 40) i",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            "work", "publisher", models.ForeignKey(to="shop.publisher", null=True, on_delete=models.SET_NULL)
        ),
    ]
