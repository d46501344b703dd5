from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0013_title_text")]
    operations = [
        migrations.AddField("work", "cents", models.IntegerField(null=True)),
        migrations.RunSQL("UPDATE shop_work SET cents = (price * 100)::int", migrations.RunSQL.noop),
        migrations.AlterField("work", "cents", models.BigIntegerField(null=True)),
    ]
