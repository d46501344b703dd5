from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0027_duration")]
    operations = [
        migrations.AddField("author", "contact", models.JSONField(null=True)),
        migrations.RunSQL(
            "UPDATE shop_author SET contact = jsonb_build_object('email', email, 'slug', slug)", migrations.RunSQL.noop
        ),
        migrations.RemoveField("author", "email"),
    ]
