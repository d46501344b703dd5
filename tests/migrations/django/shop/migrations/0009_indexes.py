from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_author_email_required")]
    operations = [
        migrations.AddIndex("book", models.Index(fields=["published", "-title"], name="book_published")),
        migrations.AddIndex("book", models.Index(Lower("title"), name="book_lower_title")),
    ]
