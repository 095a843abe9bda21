import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_key_that_the_settings_read_is_in_env_example() -> None:
    settings = (ROOT / "labeling_site" / "settings.py").read_text()
    read = set(re.findall(r'environment\.\w+\(\s*"([A-Z_]+)"', settings))
    explained = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert read == explained
