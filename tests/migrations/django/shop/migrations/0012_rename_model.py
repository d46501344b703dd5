from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0011_rename_field")]
    operations = [migrations.RenameModel("Book", "Work")]
