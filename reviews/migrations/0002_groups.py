from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

# Not the texts and labels of the admin: they would show what the model said of texts that are decided blind.
REVIEWER = [
    "reviews.add_review", "reviews.view_review", "reviews.view_assignment",
    "labeling.view_project", "labeling.view_category",
]
MANAGER = [
    *REVIEWER,
    "reviews.add_reviewer", "reviews.change_reviewer", "reviews.view_reviewer", "reviews.delete_assignment",
    "labeling.add_project", "labeling.change_project", "labeling.add_category", "labeling.change_category",
    "labeling.view_text", "labeling.change_text", "labeling.view_label",
    "labeling.view_apikey", "labeling.change_apikey", "labeling.view_labelingrun", "labeling.change_labelingrun", "labeling.view_importrecord",
    "labeling.view_classifier", "auth.add_user", "auth.change_user", "auth.view_user",
]


def create_groups(apps, schema_editor):
    """Permissions are normally made after all migrations; groups need them now."""
    for label in ("auth", "labeling", "reviews"):
        create_permissions(installed.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, wanted in (("Reviewers", REVIEWER), ("Managers", MANAGER)):
        group, _ = Group.objects.get_or_create(name=name)
        for dotted in wanted:
            app, codename = dotted.split(".")
            group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0001_initial"),
        ("labeling", "0004_api_key"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
