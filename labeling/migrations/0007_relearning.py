from django.db import migrations

NAME = "Learn from reviews"


def create_schedule(apps, schema_editor):
    """Once by name; a schedule that somebody has changed stays as it is."""
    Schedule = apps.get_model("django_q", "Schedule")
    if not Schedule.objects.filter(name=NAME).exists():
        # The broker keeps the last 200 results, and these would soon be all of them.
        options = "{'q_options': {'save': False}}"
        Schedule.objects.create(name=NAME, func="labeling.tasks.keep_up", schedule_type="I", minutes=1, kwargs=options)


def remove_schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0006_certificate"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [migrations.RunPython(create_schedule, remove_schedule)]
