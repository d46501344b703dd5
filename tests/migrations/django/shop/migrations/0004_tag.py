from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_books")]
    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=30, unique=True)),
            ],
        ),
        migrations.AddField("book", "tags", models.ManyToManyField(to="shop.tag")),
    ]
