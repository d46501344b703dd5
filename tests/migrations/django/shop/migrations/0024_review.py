from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("shop", "0023_author_key")]
    operations = [
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("work", models.ForeignKey(to="shop.work", on_delete=models.CASCADE, related_name="+")),
                ("stars", models.SmallIntegerField(db_comment="1 to 5")),
                ("text", models.TextField(blank=True, default="")),
                ("at", models.DateTimeField(db_default=Now())),
            ],
            options={"indexes": [models.Index(fields=["-at"], name="review_at")]},
        ),
        migrations.RunSQL(
            "INSERT INTO shop_review (work_id, stars, text) SELECT id, 1 + id % 5, '' FROM shop_work ORDER BY id LIMIT 60 "
            "FOR KEY SHARE",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint("review", models.CheckConstraint(condition=models.Q(stars__gt=0), name="review_stars")),
    ]
