from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0018_not_valid")]
    operations = [ValidateConstraint("work", "work_currency")]
