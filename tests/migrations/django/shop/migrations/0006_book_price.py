from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_tags")]
    operations = [
        migrations.AddField("book", "price", models.DecimalField(max_digits=8, decimal_places=2, default=0)),
        migrations.AddField("book", "currency", models.CharField(max_length=3, default="EUR", db_default="EUR")),
    ]
