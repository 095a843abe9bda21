from django.db import migrations

NAME = "Count statistics"


def create_schedule(apps, schema_editor):
    """Once by name; a schedule that somebody has changed stays as it is. It is short work: no run holds it up."""
    Schedule = apps.get_model("django_q", "Schedule")
    if not Schedule.objects.filter(name=NAME).exists():
        Schedule.objects.create(
            name=NAME,
            func="analytics.tasks.count_due",
            schedule_type="I",
            minutes=1,
            cluster="interactive",
            kwargs="{'q_options': {'save': False}}",
        )


def remove_schedule(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0001_kept_figures"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [migrations.RunPython(create_schedule, remove_schedule)]
