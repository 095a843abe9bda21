from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations


def permit(apps, schema_editor):
    """Permissions are normally made after all migrations; the group needs this one now."""
    create_permissions(installed.get_app_config("labeling"), verbosity=0, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    wanted = Permission.objects.filter(content_type__app_label="labeling", codename="add_apikey")
    for managers in Group.objects.filter(name="Managers"):
        managers.permissions.add(*wanted)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0008_managers_import"), ("labeling", "0018_requests_remembered")]

    operations = [migrations.RunPython(permit, migrations.RunPython.noop)]
