from django.db import migrations, models

from labeling.triggers import AppendOnly


class Migration(migrations.Migration):

    dependencies = [
        ("labeling", "0008_sampling"),
    ]

    operations = [
        migrations.AddField(
            model_name='classifier',
            name='answers_fingerprint',
            field=models.CharField(blank=True, default='', help_text='Of the answers that it reads before the vectors, if any.', max_length=32),
        ),
        migrations.AlterField(
            model_name='classifier',
            name='model_fingerprint',
            field=models.CharField(help_text='Of the model whose vectors it reads.', max_length=32),
        ),
        migrations.AlterField(
            model_name='embedding',
            name='vector',
            field=models.BinaryField(help_text='float16, little-endian: a vector of unit length, or log-probabilities'),
        ),
        AppendOnly("classifier"),  # on SQLite the table was built anew
    ]
