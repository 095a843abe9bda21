"""The live page and the histories in a real browser: what changes by itself, what is said when the server is gone."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from labeling.models import Category, Project, Text
from reviews import audit_trail, queue
from reviews.decisions import Decision, record
from reviews.models import Action, Reviewer
from reviews.undoing import undo
from tests.browser import EVIL, IN_BROWSER, WORDS, Visit, expect, faults

pytestmark = IN_BROWSER

AddLabeled = Callable[..., list[Text]]


def test_a_decision_appears_without_reload(
    visit: Visit, boss: User, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    first, _ = add_labeled(0.5, 0.6)
    page = visit(boss, f"/admin/review/{project.pk}/live/")
    expect(page, "#waiting").to_have_text("2")
    expect(page, "#people").to_contain_text("Nobody is on the desk")
    queue.claim_next(anna, project)
    record(anna, first.pk, Decision(Action.APPROVE, first.current_label_id))
    queue.claim_next(anna, project)
    expect(page, "#people tr").to_contain_text("anna")
    expect(page, "#last li").to_contain_text("Approve by anna")
    expect(page, "#waiting").to_have_text("1")
    expect(page, "#on-desk").to_have_text("1")
    expect(page, "#updated").to_contain_text("ago")
    page.locator("#last a").click()
    page.wait_for_url(f"**/history/text/{first.pk}/")


def test_an_answer_to_an_open_blind_text_is_said_to_be_hidden(
    visit: Visit, boss: User, anna: Reviewer, project: Project, weather: Category, blind: Text
) -> None:
    Project.objects.filter(pk=project.pk).update(reviews_per_text=2)
    record(anna, blind.pk, Decision(Action.DECIDE, category_id=weather.pk))
    page = visit(boss, f"/admin/review/{project.pk}/live/")
    expect(page, "#last .record-said").to_have_text("hidden: blind audit")
    expect(page, "#last").not_to_contain_text("Weather")


def test_it_says_when_the_server_is_gone_and_goes_on(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/admin/review/{project.pk}/live/")
    expect(page, "#trouble").to_be_hidden()
    page.route("**/live.json", lambda route: route.abort())
    expect(page, "#trouble").to_contain_text("cannot be reached")
    expect(page, "#updated").not_to_have_text("updated 0 seconds ago")
    page.unroute("**/live.json")
    expect(page, "#trouble").to_be_hidden()


def test_who_was_signed_out_is_sent_to_sign_in(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/admin/review/{project.pk}/live/")
    page.context.clear_cookies()
    expect(page, "#trouble").to_contain_text("signed out")
    assert (
        page.locator("#sign-in").get_attribute("href")
        == f"/admin/login/?next=%2Fadmin%2Freview%2F{project.pk}%2Flive%2F"
    )


def test_a_page_that_nobody_looks_at_asks_nothing(visit: Visit, boss: User, project: Project) -> None:
    page = visit(boss, f"/admin/review/{project.pk}/live/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    show = "Object.defineProperty(document, 'visibilityState', {value: %r, configurable: true});"
    page.evaluate(show % "hidden" + "document.dispatchEvent(new Event('visibilitychange'))")
    asked.clear()  # what was asked while somebody looked
    page.wait_for_timeout(4000)
    assert not any(url.endswith("live.json") for url in asked)
    with page.expect_request("**/live.json"):
        page.evaluate(show % "visible" + "document.dispatchEvent(new Event('visibilitychange'))")


def test_what_people_wrote_stays_text(
    visit: Visit, boss: User, anna: Reviewer, project: Project, add_labeled: AddLabeled
) -> None:
    [text] = add_labeled(0.5)
    Category.objects.filter(name="Sports").update(name=EVIL)
    Text.objects.filter(pk=text.pk).update(content=EVIL, source=EVIL)
    Project.objects.filter(pk=project.pk).update(name=EVIL)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id, comment=EVIL, proposed_category=EVIL))
    for path in (f"{project.pk}/live/", f"history/text/{text.pk}/", f"history/reviewer/{anna.pk}/", ""):
        page = visit(boss, f"/admin/review/{path}")
        expect(page, "#content").to_contain_text("<script>")
        assert page.locator("#content img, #content script:not([type='application/json'])").count() == 0
        assert page.title() != "owned"


def test_it_fits_the_screen_and_has_no_barriers(
    visit: Visit,
    boss: User,
    anna: Reviewer,
    ben: Reviewer,
    project: Project,
    add_labeled: AddLabeled,
    live_server: LiveServer,
) -> None:
    texts = dress(project, anna, ben, add_labeled)
    paths = {
        "live": f"{project.pk}/live/",
        "text": f"history/text/{texts[0].pk}/",
        "reviewer": f"history/reviewer/{anna.pk}/",
        "projects": "",
    }
    page, found = visit(boss, "/health/live"), []
    for what, path in paths.items():
        page.goto(f"{live_server.url}/admin/review/{path}")
        found += faults(page, what)
    assert found == []


def dress(project: Project, anna: Reviewer, ben: Reviewer, add_labeled: AddLabeled) -> list[Text]:
    """A project in the middle of the work: claims, decisions of all kinds, long words."""
    texts = add_labeled(*[0.5 + n / 100 for n in range(14)])
    [blind] = add_labeled(0.7, audit=True)
    for number, text in enumerate(texts):
        Text.objects.filter(pk=text.pk).update(content=f"{number}. {WORDS * 2}", source="tickets.csv")
    weather = project.categories.get(name="Weather")
    Category.objects.filter(pk=weather.pk).update(name="Weather, storms and other long names of categories")
    first = texts[0]
    record(anna, first.pk, Decision(Action.REJECT, first.current_label_id, weather.pk, comment="Not sport: it rained."))
    undo(anna)
    record(ben, first.pk, Decision(Action.APPROVE, first.current_label_id, seconds_spent=4.2))
    for text in texts[1:6]:
        record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id, seconds_spent=2.5))
    record(anna, blind.pk, Decision(Action.DECIDE, category_id=weather.pk))
    record(anna, texts[6].pk, Decision(Action.FLAG, comment=f"{WORDS}\n{'long' * 40}", proposed_category="Rain"))
    audit_trail.seal(everything=True)
    record(ben, texts[7].pk, Decision(Action.SKIP))
    for reviewer in (anna, ben):
        queue.claim_next(reviewer, project)
    Project.objects.create(name="Customer mail, a project with a rather long name", created_at=timezone.now())
    return texts
