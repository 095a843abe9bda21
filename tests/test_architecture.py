"""Who may import whom, and what must not be imported at all."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ["labeling", "reviews", "analytics", "labeling_site"]  # each may import the ones before it

# The parts of `labeling`, entries by the last word of their name. All others do the work between the two.
ENTRY = {"admin", "api", "views", "forms", "serializers", "viewsets", "pages", "urls", "tasks", "management"}
LINES = 40  # of a function, with its parameters and what it promises
BASE = {"models", "providers", "learning", "append_only", "choices", "querysets"}


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def functions_over(file: Path, lines: int) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= lines:
            yield node.name


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_only_apps_below_it(app: str) -> None:
    above = set(APPS[APPS.index(app) + 1 :])
    for file in modules(app):
        wrong = {name for name in imports_of(file) if name.split(".")[0] in above}
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("app", APPS)
def test_the_pages_of_an_app_are_made_of_parts_of_apps_below_it(app: str) -> None:
    above = APPS[APPS.index(app) + 1 :]
    files = [*(ROOT / "templates" / app).rglob("*.html"), *(ROOT / app / "static").rglob("*.[cj]s*")]
    for file in files:
        wrong = re.findall(rf"[\"/](?:{'|'.join(above)})/\w+\.(?:html|css|js)", file.read_text()) if above else []
        assert not wrong, f"{file.relative_to(ROOT)} uses {wrong}"


def rank(module: str) -> int | None:
    """How high a part of `labeling` stands: 0 what all rest on, 1 the work, 2 where it is asked for; None outside."""
    parts = module.split(".")
    if parts[0] != "labeling" or len(parts) < 2:
        return None
    if parts[1] in BASE:
        return 0
    words = parts[1].split("_")
    return 2 if words[-1] in ENTRY or words[0] == "admin" else 1


@pytest.mark.parametrize("name", ["admin_runs", "label_api", "import_views", "run_forms", "serializers", "export_urls"])
def test_where_work_is_asked_for_stands_above_the_work(name: str) -> None:
    assert (ROOT / "labeling" / f"{name}.py").exists()
    assert rank(f"labeling.{name}") == 2


@pytest.mark.parametrize("name", ["uploads", "chunks", "phases", "api_keys", "import_progress"])
def test_work_stands_above_what_all_rest_on(name: str) -> None:
    assert (ROOT / "labeling" / f"{name}.py").exists()
    assert rank(f"labeling.{name}") == 1


def test_no_part_of_labeling_imports_a_part_above_it() -> None:
    for file in modules("labeling"):
        own = rank(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for name in imports_of(file):
            other = rank(name)
            assert own is None or other is None or other <= own, f"{file.relative_to(ROOT)} imports {name}"


def test_learning_knows_neither_django_nor_torch() -> None:
    for file in modules("labeling/learning"):
        wrong = {name for name in imports_of(file) if name.split(".")[0] in ("django", "torch", "transformers")}
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"
        assert not any(name.startswith("labeling.models") for name in imports_of(file))


def test_providers_see_no_database() -> None:
    for file in modules("labeling/providers"):
        wrong = {name for name in imports_of(file) if name.startswith(("django.db", "labeling.models"))}
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("folder", [*APPS, "benchmarks", "tests"])
def test_no_function_is_longer_than_a_screen(folder: str) -> None:
    long = [f"{file.relative_to(ROOT)}: {name}" for file in modules(folder) for name in functions_over(file, LINES)]
    assert not long


def test_only_the_settings_read_the_environment() -> None:
    allowed = {"labeling_site/environment.py", "labeling_site/asgi.py", "labeling_site/wsgi.py"}
    for app in APPS:
        for file in modules(app):
            if str(file.relative_to(ROOT)) not in allowed:
                assert "os.environ" not in file.read_text(), file
                assert "os.getenv" not in file.read_text(), file


@pytest.mark.parametrize(
    "start",
    [
        "import labeling_site.wsgi; from django.urls import get_resolver; get_resolver().url_patterns",
        "import django; django.setup(); from django.core.management import call_command; call_command('check')",
        "import django; django.setup(); import labeling.tasks, labeling.execution",
    ],
    ids=["web process", "manage.py check", "worker at rest"],
)
def test_no_model_library_is_imported_by(start: str) -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'labeling_site.settings'\n"
        f"{start}\n"
        "print([name for name in ('torch', 'transformers', 'onnxruntime', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
