"""Take the pictures of the pages that the documents show.

    python docs/images/take.py [--output FOLDER]

Loads and labels the demo in a temporary database, lets one reviewer decide the first texts as answers.jsonl says,
starts the web server on a free port and photographs with Debian's chromium: another's desk in light, dark and on a
phone, and the main pages at 1440 and 390 pixels. Needs requirements-dev.txt.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DECIDED = 120  # texts decided before, so that there is progress and something similar
MOST_SKIPPED = 60  # texts, until one shows much
LABELED = "The tent arrived two weeks late and one of its poles is broken. I would like my money back, please."
PASSWORD = "only for the pictures"
SCREENS: dict[str, dict[str, Any]] = {
    "desk-light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "desk-dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "desk-phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True},
}


PAGES = {  # name of the picture -> path; {project} is the demo's number
    "dashboard": "/",
    "projects": "/projects/{project}/",
    "categories": "/projects/{project}/categories/",
    "import": "/projects/{project}/import/",
    "export": "/projects/{project}/export/",
    "label": "/label/?project={project}",
    "run": "/runs/1/",
    "statistics": "/statistics/?project={project}",
    "budget": "/admin/budget/{project}/",
}
WIDTHS: dict[str, dict[str, Any]] = {
    "1440": {"viewport": {"width": 1440, "height": 900}},
    "390": {"viewport": {"width": 390, "height": 844}, "is_mobile": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE)
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        decide_some()
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/pictures.sqlite3"}
        run(environment, "manage.py", "migrate", "-v0")
        run(environment, "manage.py", "load_demo")
        run(environment, "manage.py", "label_texts", "--project", "Demo")
        path = run(environment, __file__, "--fill").splitlines()[-1]
        # What the worker would begin to do within a minute is done before, so that no picture shows half of it.
        run(environment, "manage.py", "train_classifier", "--project", "Demo")
        run(environment, "manage.py", "label_texts", "--project", "Demo", "--relabel")
        with server(environment) as address, worker(environment), sync_playwright() as running:
            browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, screen in SCREENS.items():
                take(browser, address + path, screen, options.output / f"{name}.png")
            project = path.strip("/").split("/")[-1]
            for width, screen in WIDTHS.items():
                take_pages(browser, address, screen, project, options.output, width)


def run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def decide_some() -> None:
    """Add Anna, and Ben's decisions, in a process that knows the temporary database; prints the path of her desk."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from labeling.models import Project
    from reviews.decisions import Decision, record
    from reviews.models import Action, Reviewer
    from reviews.queue import Nothing, claim_next

    project = Project.objects.get(name="Demo")
    User.objects.create_superuser("anna", "", PASSWORD)
    ben = User.objects.create_user("ben")
    for name in ("anna", "ben"):
        call_command("add_reviewer", name, project="Demo")
    reviewer = Reviewer.objects.get(user=ben)
    categories = {category.name: category.pk for category in project.active_categories()}
    answers = read_answers()
    for _ in range(DECIDED):
        claimed = claim_next(reviewer, project)
        if isinstance(claimed, Nothing):
            break
        text, right = claimed.text, categories[answers[claimed.text.external_id]]
        is_right = text.current_label is not None and text.current_label.category_id == right
        action = Action.DECIDE if text.is_audit else Action.APPROVE if is_right else Action.REJECT
        label_id = None if text.is_audit else text.current_label_id
        category_id = None if action == Action.APPROVE else right
        record(reviewer, text.pk, Decision(action, label_id, category_id=category_id, seconds_spent=4.0))
    print(f"/admin/review/{project.pk}/")


def read_answers() -> dict[str, str]:
    lines = (ROOT / "labeling" / "demo" / "answers.jsonl").read_text().splitlines()
    return {row["external_id"]: row["category"] for row in map(json.loads, lines)}


@contextmanager
def server(environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "labeling_site.wsgi", "--bind", address, "--threads", "4"]
    process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
    try:
        wait_for(f"http://{address}/admin/login/")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[None]:
    """So that no page warns that there is none."""
    process = subprocess.Popen([sys.executable, "manage.py", "run_worker"], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urlopen(url).close()
            return
        except URLError:
            time.sleep(0.2)
    raise SystemExit("The web server did not start.")


def take_pages(browser: Browser, address: str, screen: dict[str, Any], project: str, folder: Path, width: str) -> None:
    context = browser.new_context(**screen)
    page = context.new_page()
    page.goto(address)
    sign_in(page)
    for name, path in PAGES.items():
        page.goto(address + path.format(project=project))
        if name == "label":
            page.fill("[name=text]", LABELED)
            page.click("[name=do][value=ask]")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)  # what comes after the page, and what is drawn with a movement
        page.screenshot(path=folder / f"{name}-{width}.png")
    context.close()


def sign_in(page: Page) -> None:
    page.fill("[name=username]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".frame")


def take(browser: Browser, desk: str, screen: dict[str, Any], file: Path) -> None:
    context = browser.new_context(**screen)
    page = context.new_page()
    page.goto(desk)  # asks to sign in
    sign_in(page)
    page.wait_for_selector("#desk[data-state=text]")
    for _ in range(MOST_SKIPPED):
        page.wait_for_timeout(1000)
        if shows_much(page):
            break
        page.keyboard.press("s")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file)
    page.goto("about:blank")  # gives the texts back, so that the next picture shows the same
    page.wait_for_timeout(500)
    context.close()


def shows_much(page: Page) -> bool:
    """What a model said with the words that made it say so, and a reviewed text that is like it."""
    if not page.locator("#text mark").count() or not page.locator("#similar-texts li").count():
        return False
    nearest = page.locator("#similar-texts li").first.inner_text()
    return len(page.locator("#text").inner_text()) > 60 and bool(re.search(r"[4-9]\d %", nearest))


if __name__ == "__main__":
    main()
