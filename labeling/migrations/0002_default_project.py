from django.db import migrations


def create_default_project(apps, schema_editor):
    """Simple uses need not name a project: this one always exists after `migrate`."""
    apps.get_model("labeling", "Project").objects.get_or_create(name="Default")


class Migration(migrations.Migration):
    dependencies = [("labeling", "0001_initial")]

    operations = [migrations.RunPython(create_default_project, migrations.RunPython.noop)]
