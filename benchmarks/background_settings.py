"""The program's settings with the providers of benchmarks, for worker processes that they start."""

import sys
from pathlib import Path

from labeling_site.settings import *  # noqa: F403
from labeling_site.settings import LABELING_PROVIDERS

sys.path.insert(0, str(Path(__file__).resolve().parent))

LABELING_PROVIDERS = {
    **LABELING_PROVIDERS,
    "kept": {"BACKEND": "kept_vectors.KeptVectors", "OPTIONS": {}},
    "delay": {"BACKEND": "tests.fakes.Slow", "OPTIONS": {"seconds_a_text": 0.002}},
}
LABELING_ENCODER = "kept"
