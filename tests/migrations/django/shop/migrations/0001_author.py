from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Author",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
                ("slug", models.SlugField(unique=True)),
            ],
        ),
        migrations.RunSQL(
            "INSERT INTO shop_author (name, slug) SELECT 'Author ' || i, 'author-' || i FROM generate_series(1, 60) i",
            migrations.RunSQL.noop,
        ),
    ]
