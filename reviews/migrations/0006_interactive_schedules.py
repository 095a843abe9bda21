from django.db import migrations

NAMES = ["Seal reviews", "Release expired claims", "Learn from reviews"]


def move(apps, schema_editor):
    """Short work on a schedule does not wait behind long runs."""
    apps.get_model("django_q", "Schedule").objects.filter(name__in=NAMES).update(cluster="interactive")


def move_back(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name__in=NAMES).update(cluster=None)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0005_managers_see_certificates"), ("labeling", "0010_worker")]

    operations = [migrations.RunPython(move, move_back)]
