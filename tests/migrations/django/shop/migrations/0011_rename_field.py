from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0010_index_concurrently")]
    operations = [migrations.RenameField("author", "name", "full_name")]
