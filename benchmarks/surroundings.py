"""The machine and the versions that a figure was measured with."""

import importlib.metadata
import os
import platform
import re
import sqlite3
from pathlib import Path

from benchmarks.review_server import execute

PACKAGES = ("torch", "onnxruntime", "transformers", "django")
# What a processor multiplies with decides about the speed of models: the first of these that it has.
INSTRUCTIONS = {"amx_tile": "AMX", "avx512_bf16": "AVX-512 with BF16", "avx512f": "AVX-512", "avx2": "AVX2"}


def machine() -> dict[str, str | int]:
    """Its processor, cores and memory. Needs Linux."""
    about = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    memory = Path("/proc/meminfo").read_text(encoding="utf-8")
    kibibytes = int(_found(r"MemTotal:\s+(\d+)", memory) or 0)
    flags = set(_found(r"flags\s*:\s*(.+)", about).split())
    return {
        "processor": _found(r"model name\s*:\s*(.+)", about) or platform.machine(),
        "instructions": next((name for flag, name in INSTRUCTIONS.items() if flag in flags), ""),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(kibibytes / 2**20),
    }


def versions(*, postgres: str | None) -> dict[str, str]:
    """Of what the figures depend on, and of the PostgreSQL server with this address."""
    found = {"python": platform.python_version()}
    found |= {name: importlib.metadata.version(name) for name in PACKAGES}
    found["sqlite"] = sqlite3.sqlite_version
    if postgres:
        found["postgres"] = str(execute(postgres, "SHOW server_version")[0][0]).split()[0]
    return found


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1].strip() if match else ""
