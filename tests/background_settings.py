"""The program's settings, with providers that need no model, for processes that tests start."""

from labeling_site.settings import *  # noqa: F403
from labeling_site.settings import LABELING_PROVIDERS

LABELING_PROVIDERS = {
    **LABELING_PROVIDERS,
    "keyword": {"BACKEND": "tests.fakes.KeywordEncoder", "OPTIONS": {}},
    "slow": {"BACKEND": "tests.fakes.Slow", "OPTIONS": {"seconds_a_text": 0.004}},
    "slower": {"BACKEND": "tests.fakes.Slow", "OPTIONS": {"seconds_a_text": 0.01}},
}
LABELING_ENCODER = "keyword"
