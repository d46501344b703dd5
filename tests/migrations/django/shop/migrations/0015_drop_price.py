from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0014_price_cents")]
    operations = [
        migrations.RemoveIndex("work", "book_dear"),
        migrations.RemoveField("work", "price"),
    ]
