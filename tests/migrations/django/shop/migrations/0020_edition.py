from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0019_validate")]
    operations = [
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("work", models.OneToOneField(to="shop.work", primary_key=True, on_delete=models.CASCADE)),
                ("number", models.PositiveSmallIntegerField(default=1)),
                ("weight", models.FloatField(null=True)),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO shop_edition (work_id, number) SELECT id, 1 FROM shop_work ORDER BY id LIMIT 50 FOR KEY SHARE",
            migrations.RunSQL.noop,
        ),
    ]
