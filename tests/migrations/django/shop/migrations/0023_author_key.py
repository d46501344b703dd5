from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0022_alter_table")]
    operations = [
        migrations.AlterField("work", "author", models.ForeignKey(to="shop.author", null=True, on_delete=models.SET_NULL)),
        migrations.AlterField("author", "slug", models.SlugField(max_length=90, unique=True)),
    ]
