from django.db import migrations


# The load may delete an author that was only read.
def fill(apps, schema_editor):
    schema_editor.execute(
        "INSERT INTO shop_book (title, author_id) SELECT 'Book ' || i, a.id FROM (SELECT id FROM shop_author ORDER BY id "
        "LIMIT 40 FOR KEY SHARE) a, generate_series(1, 3) i"
    )


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_book")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
