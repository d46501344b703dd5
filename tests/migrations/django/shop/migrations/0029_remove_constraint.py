from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0028_merge_columns")]
    operations = [
        migrations.RemoveConstraint("work", "work_cents"),
        migrations.RemoveIndex("work", "book_lower_title"),
        migrations.RenameIndex("work", new_name="work_published", old_name="book_published"),
    ]
