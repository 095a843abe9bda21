"""The form of a prompt in a real browser."""

from django.contrib.auth.models import User

from labeling.models import Project
from tests.browser import EVIL, IN_BROWSER, Visit, barriers, expect, looks, too_wide

pytestmark = IN_BROWSER

ADD = "/admin/labeling/promptversion/add/?project={}"
PREVIEW = "#prompt-preview-messages"


def test_the_preview_follows_what_is_written(visit: Visit, boss: User, project: Project, add_texts) -> None:
    add_texts(project, "The striker scored.")
    page = visit(boss, ADD.format(project.pk))
    expect(page, PREVIEW).to_contain_text("The striker scored.")
    page.fill("#id_template", "Sort this into {categories}: {text}")
    expect(page, PREVIEW).to_contain_text("Sort this into")
    page.fill("#id_template", "Sort this: {txet}")
    expect(page, "#prompt-preview-error").to_contain_text("unknown placeholders: txet")
    expect(page, PREVIEW).to_be_empty()


def test_a_text_that_looks_like_markup_stays_text(visit: Visit, boss: User, project: Project, add_texts) -> None:
    add_texts(project, EVIL)
    page = visit(boss, ADD.format(project.pk))
    expect(page, PREVIEW).to_contain_text(EVIL)


def test_its_preview_fits_the_screen_and_has_no_barriers(visit: Visit, boss: User, project: Project, add_texts) -> None:
    add_texts(project, "The striker scored.")
    page = visit(boss, ADD.format(project.pk))
    for look in looks(page):
        expect(page, PREVIEW).to_contain_text("The striker scored.")
        assert too_wide(page, look) == []
        assert [found for found in barriers(page, look) if "prompt-preview" in found] == []
