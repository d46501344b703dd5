from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0020_edition")]
    operations = [
        migrations.AlterField("edition", "number", models.IntegerField(default=2, db_default=2)),
        migrations.AddField(
            "edition",
            "double",
            models.GeneratedField(expression=models.F("number") * 2, output_field=models.IntegerField(), db_persist=True),
        ),
    ]
