from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0021_edition_double")]
    operations = [
        migrations.AlterModelTable("tag", "keywords"),
        migrations.AlterModelTableComment("work", "what was written; it's all"),
    ]
