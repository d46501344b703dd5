from django.db import migrations


def fill(apps, schema_editor):
    author, book = apps.get_model("shop", "Author"), apps.get_model("shop", "Book")
    ids = list(author.objects.order_by("id").values_list("id", flat=True)[:40])
    book.objects.bulk_create(book(title=f"Book {i}", author_id=ids[i % len(ids)]) for i in range(120))


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_book")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
