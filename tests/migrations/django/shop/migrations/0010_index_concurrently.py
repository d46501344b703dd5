from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0009_indexes")]
    atomic = False
    operations = [
        AddIndexConcurrently("author", models.Index(fields=["name"], name="author_name")),
        AddIndexConcurrently(
            "book", models.Index(fields=["price"], name="book_dear", condition=models.Q(price__gt=10))
        ),
    ]
