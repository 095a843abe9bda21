"""Somebody who may do everything, and a project with everything."""

import pytest
from django.contrib.auth.models import User

from labeling.models import Project
from tests.labeling_site.everything import Cast, everything, reviewing_boss


@pytest.fixture
def boss(project: Project) -> User:
    return reviewing_boss(project)


@pytest.fixture
def cast(boss: User, project: Project) -> Cast:
    return everything(boss, project)
