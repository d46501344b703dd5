from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("shop", "0025_review_author")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE shop_work_tags RENAME TO shop_worktag", "ALTER TABLE shop_worktag RENAME TO shop_work_tags"
                )
            ],
            state_operations=[
                migrations.CreateModel(
                    name="WorkTag",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True)),
                        ("work", models.ForeignKey(to="shop.work", on_delete=models.CASCADE)),
                        ("tag", models.ForeignKey(to="shop.tag", on_delete=models.CASCADE)),
                    ],
                ),
                migrations.AlterField("work", "tags", models.ManyToManyField(to="shop.tag", through="shop.WorkTag")),
            ],
        ),
        migrations.AddField("worktag", "since", models.DateTimeField(db_default=Now())),
    ]
