from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0024_review")]
    operations = [
        migrations.AddField("review", "author", models.ForeignKey(to="shop.author", null=True, on_delete=models.CASCADE)),
        migrations.RunSQL(
            "UPDATE shop_review r SET author_id = w.author_id FROM shop_work w WHERE w.id = r.work_id",
            migrations.RunSQL.noop,
        ),
        migrations.AddField("review", "likes", models.IntegerField(default=0)),
    ]
