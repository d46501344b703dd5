from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0017_constraints")]
    operations = [
        AddConstraintNotValid(
            "work", models.CheckConstraint(condition=~models.Q(currency=""), name="work_currency")
        ),
    ]
