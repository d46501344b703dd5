from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_author")]
    operations = [
        migrations.CreateModel(
            name="Book",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=200)),
                ("author", models.ForeignKey(to="shop.author", on_delete=models.CASCADE)),
                ("published", models.DateField(null=True)),
            ],
            options={"ordering": ["title"]},
        ),
    ]
