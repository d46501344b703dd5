from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0012_rename_model")]
    operations = [migrations.AlterField("work", "title", models.TextField())]
