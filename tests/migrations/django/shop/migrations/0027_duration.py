from datetime import timedelta

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("shop", "0026_through")]
    operations = [
        migrations.AddField("work", "reading", models.DurationField(default=timedelta(hours=2))),
        migrations.AddField("work", "cover", models.BinaryField(null=True, db_default=b"\x00\xff")),
        migrations.AddField("work", "updated", models.DateTimeField(db_default=Now())),
    ]
