from django.db import migrations

# q_options: the broker keeps the last 200 results, and these would soon be all of them.
SCHEDULES = {
    "Seal reviews": {"func": "reviews.tasks.seal", "minutes": 1},
    "Release expired claims": {"func": "reviews.tasks.release_expired", "minutes": 15},
}


def create_schedules(apps, schema_editor):
    """Once by name; a schedule that somebody has changed stays as it is."""
    Schedule = apps.get_model("django_q", "Schedule")
    for name, how in SCHEDULES.items():
        if not Schedule.objects.filter(name=name).exists():
            Schedule.objects.create(name=name, schedule_type="I", kwargs="{'q_options': {'save': False}}", **how)


def remove_schedules(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name__in=SCHEDULES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0003_audit_trail"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [migrations.RunPython(create_schedules, remove_schedules)]
