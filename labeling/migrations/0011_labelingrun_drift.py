from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0010_worker")]

    operations = [
        migrations.AddField(
            model_name="labelingrun",
            name="drift",
            field=models.JSONField(
                blank=True, help_text="Whether the texts that were new then differ from those before.", null=True
            ),
        ),
    ]
