from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0029_remove_constraint")]
    operations = [
        migrations.DeleteModel("Edition"),
        migrations.RemoveField("work", "publisher"),
        migrations.DeleteModel("Publisher"),
        migrations.AlterUniqueTogether("worktag", {("work", "tag", "id")}),
    ]
