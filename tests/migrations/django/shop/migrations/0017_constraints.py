from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("shop", "0016_publisher")]
    operations = [
        migrations.AddConstraint(
            "work", models.CheckConstraint(condition=models.Q(cents__gte=0) | models.Q(cents=None), name="work_cents")
        ),
        migrations.AddConstraint(
            "tag", models.UniqueConstraint(Lower("name"), name="tag_lower_name", violation_error_code="again")
        ),
    ]
