from django.db import migrations, models


def fill(apps, schema_editor):
    schema_editor.execute("LOCK TABLE shop_author")
    author = apps.get_model("shop", "Author")
    for one in author.objects.filter(email=None).order_by("id")[:20]:
        one.email = f"author{one.id}@example.org"
        one.save(update_fields=["email"])
    author.objects.filter(email=None).update(email="none@example.org")


class Migration(migrations.Migration):
    dependencies = [("shop", "0007_author_email")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("author", "email", models.EmailField(max_length=120, default="")),
    ]
