from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("shop", "0006_book_price")]
    operations = [
        migrations.AddField("author", "email", models.EmailField(null=True)),
        migrations.AddField("author", "created", models.DateTimeField(auto_now_add=True, default=timezone.now)),
    ]
