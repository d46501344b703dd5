from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_tag")]
    operations = [
        migrations.RunSQL(
            [
                "INSERT INTO shop_tag (name) SELECT 'tag ' || i FROM generate_series(1, 40) i",
                "INSERT INTO shop_book_tags (book_id, tag_id) SELECT b.id, t.id FROM (SELECT id FROM shop_book ORDER BY id "
                "LIMIT 40 FOR KEY SHARE) b, (SELECT id FROM shop_tag ORDER BY id LIMIT 2) t",
            ],
            ["DELETE FROM shop_book_tags", "DELETE FROM shop_tag"],
        ),
    ]
