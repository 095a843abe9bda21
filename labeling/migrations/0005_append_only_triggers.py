from django.db import migrations

from labeling.triggers import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("labeling", "0004_api_key")]

    operations = [AppendOnly("label"), AppendOnly("classifier")]
