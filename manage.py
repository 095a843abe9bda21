#!/usr/bin/env python
"""Run administrative tasks: python manage.py COMMAND."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, connection

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if connection.connection is not None:
            raise
        sys.exit(f"The database does not answer: {str(error).strip()}\nStart it, or correct DATABASE_URL.")


if __name__ == "__main__":
    main()
