"""The figures and bars of the program around the models: files, people, runs, pages and the API."""

from benchmarks.bars import Figure, Json, at, hundredfold

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
SLOWER_PROCESSORS = (
    "On processors with AVX2 only the same work takes two to four times as long, for plain Django as well: the rows"
    " beside it stay as they are."
)
DATABASE_ON_THE_SAME_CORES = (
    "What the web server computes is the row above. The rest of the wait is PostgreSQL's own processor time, about"
    " 4 ms, and the client's, all on the same two cores."
)


# --- Files and background work ----------------------------------------------------------------------------------------


def beside_plain(work: str) -> Figure:
    def read(printed: Json) -> float:
        rates = printed["200000 rows"]
        return float(rates[f"{work}, rows/s"] / rates[f"plain {work}, rows/s"])

    return Figure(f"{work} beside plain Django, 200,000 rows", read, "times")


def rate(work: str, least: float) -> Figure:
    read = at("200000 rows", f"{work}, rows/s")
    return Figure(f"{work}, 200,000 rows", read, "rows/s", least=least, why_missed=SLOWER_PROCESSORS)


PIPELINE = [
    Figure(
        "everything but the model's forward pass, of wall time",
        at("pipeline", "everything but the forward pass, share of wall"),
        most=0.15,
    ),
    Figure("texts from file to file", at("pipeline", "texts/s, all"), "texts/s"),
    Figure("peak memory", at("pipeline", "peak MB"), "MB"),
    rate("import", 20_000),
    rate("export csv", 30_000),
    rate("export jsonl", 30_000),
    beside_plain("import"),
    beside_plain("export csv"),
    *(
        Figure(f"peak memory of {work}, {rows:,} rows", at(f"{rows} rows", f"{work}, peak MB"), "MB")
        for work in ("import", "export csv", "export jsonl")
        for rows in (10_000, 200_000)
    ),
]


COMMANDS = [
    *(
        figure
        for name, least in (("ag_news", 0.82), ("banking77", None), ("snips", None))
        for figure in (
            Figure(f"{name}: accuracy of the export", at(name, "accuracy"), least=least),
            Figure(f"{name}: label_texts", at(name, "label_seconds"), "s"),
            Figure(f"{name}: import_texts and label_texts again", at(name, "again_seconds"), "s", most=10),
            Figure(f"{name}: texts that this changes", at(name, "changed_by_again"), most=0),
        )
    ),
]


SLOWER_HOST = (
    "Eight clients, the web server and PostgreSQL share two cores. The client's own part of a decision tells how fast a"
    " host is: where it takes 1.1 or 1.2 ms, the bar is held (83.2 and 84.5), where it takes 1.5 to 1.7, it is missed."
)


def runs(least: float) -> list[Figure]:
    return [
        Figure("1,000,000 texts with cached vectors, two workers", at("cached", "rate"), "texts/s", least=least),
        Figure(
            "the same by a worker, over in this process, 100,000 texts",
            at("cost", "ratio"),
            "times",
            most=1.1,
        ),
        Figure(
            "a provider of 2 ms a text, two workers over one",
            at("delay", "times"),
            "times",
            least=1.7,
        ),
        Figure("memory of the largest process, by a third of the run", at("cached", "MB_by_a_third"), "MB"),
        Figure("memory of the largest process, after that", at("cached", "MB_after"), "MB"),
    ]


RESCORING = [
    Figure(f"{texts:,} texts, {share} change", at(f"{texts} texts", f"{share} change", "seconds"), "s", most=most)
    for texts, most in ((100_000, 15), (1_000_000, 150))
    for share in ("10.0%", "0.5%")
]


# --- People -----------------------------------------------------------------------------------------------------------


def review(least: float, *, database: str) -> list[Figure]:
    why = DATABASE_ON_THE_SAME_CORES if database == POSTGRESQL else ""
    return [
        *(figure for decided in (0, 10_000, 1_000_000) for figure in one_reviewer(decided, why)),
        Figure(
            "eight reviewers without pause",
            at("0 decided", "eight", "decisions/s"),
            "decisions/s",
            least=least,
            why_missed=SLOWER_HOST if database == POSTGRESQL else "",
        ),
        Figure("requests that failed, errors, texts given or decided twice, lost reviews", amiss, most=0),
        Figure("sealing a million reviews", at("1000000 decided", "trail", "sealed/s"), "reviews/s"),
        Figure("verifying a million reviews", at("1000000 decided", "trail", "verified/s"), "reviews/s"),
    ]


def one_reviewer(decided: int, why_missed: str) -> list[Figure]:
    def median(words: str, most: float, why: str = "") -> Figure:
        read = at(f"{decided} decided", "one", f"{words} p50, ms")
        return Figure(f"{decided:,} decided before: {words}, p50", read, "ms", most=most, why_missed=why)

    return [
        median("next, server's processor", 15),
        median("next, wall", 30),
        median("decide, server's processor", 15),
        median("decide, wall", 15, why_missed),
    ]


def amiss(printed: Json) -> float:
    checks = [stage["check"] for name, stage in printed.items() if name.endswith(" decided")]
    return float(sum(abs(count) for check in checks for count in check.values()))


LEARNING_LIVE = [
    Figure("from a decision until the queue knows it, p50", at("seconds until the queue follows, p50"), "s"),
    Figure("from a decision until the queue knows it, p95", at("p95"), "s", most=2),
    Figure("processor of the learning process, each time", at("processor seconds each"), "s"),
    Figure("peak memory of the learning process", at("peak MB"), "MB"),
]


# --- The API and the pages --------------------------------------------------------------------------------------------


def bulk(words: str, name: str, *, least: float | None = None) -> Figure:
    read = at("bulk", f"{name}_texts_per_second_and_per_processor_second", 0)
    return Figure(f"texts in bulk, {words}", read, "texts/s", least=least)


SURFACE = [
    Figure("POST /api/label, stored, p50", at("label", "stored_ms", "p50"), "ms", most=25),
    Figure("POST /api/label, stored, p95", at("label", "stored_ms", "p95"), "ms"),
    Figure("the same, answered only, p50", at("label", "answered_only_ms", "p50"), "ms"),
    Figure("another endpoint alone, p50", at("label", "other_endpoint_alone_ms", "p50"), "ms"),
    Figure("another endpoint beside labeling, p50", at("label", "other_endpoint_beside_labeling_ms", "p50"), "ms"),
    bulk("NDJSON", "ndjson", least=5_000),
    bulk("a JSON array", "json"),
    bulk("NDJSON that updates all by their external id", "ndjson_updated"),
]


def slowest(kind: str, words: str, most: float) -> Figure:
    return Figure(words, lambda printed: max(one["ms"] for one in printed[kind].values()), "ms", most=most)


def surface_pages(slowest_page: float) -> list[Figure]:
    return [
        slowest("pages", "the slowest of all pages, median", slowest_page),
        slowest("lists", "the slowest of all lists of the API, first and deep pages, median", 50),
        *(
            Figure(f"{words}, median", at("pages", path, "ms"), "ms")
            for words, path in (
                ("dashboard", "/"),
                ("statistics", "/statistics/?project=Surface"),
                ("label", "/label/"),
                ("a run", "/runs/1/"),
                ("admin: texts", "/admin/labeling/text/"),
                ("admin: reviews", "/admin/reviews/review/"),
            )
        ),
        Figure("list of texts, from the middle on", at("lists", "/api/texts?project=Surface (deep)", "ms"), "ms"),
    ]


MERGING = [
    Figure("preview", at("preview_ms"), "ms"),
    Figure("the page waits", at("page_waits_ms"), "ms"),
    Figure("all labels of 100,000 texts", at("rest_seconds"), "s"),
    Figure("somebody else's write waits meanwhile, median", at("a_write_waits_p50_ms"), "ms"),
    Figure("somebody else's write waits meanwhile, at most", at("a_write_waits_most_ms"), "ms"),
]

EXPORTS = {"csv": "CSV", "jsonl": "JSONL", "parquet": "Parquet", "xlsx": "XLSX", "hf": "a Hugging Face dataset"}

TRANSFER = [
    Figure("upload and preview of 100,000 rows", at("import", "upload_and_preview_seconds"), "s"),
    Figure("import in the background", at("import", "import_seconds"), "s"),
    Figure("largest worker process at import", at("import", "worker_mb"), "MB"),
    *(
        figure
        for name, words in EXPORTS.items()
        for figure in (
            Figure(f"export of {words}", at(f"export {name}", "seconds"), "s"),
            Figure(f"export of {words}: largest web process until then", at(f"export {name}", "web_mb"), "MB"),
        )
    ),
    Figure("another person's page at import, median", at("import", "others_page_ms_median"), "ms"),
    Figure("another person's page at import, at worst", at("import", "others_page_ms_worst"), "ms"),
]

MUTANTS = [
    figure
    for module in ("labeling/learning/risk.py", "reviews/decisions.py")
    for figure in (
        Figure(f"{module}: all changes that there are", at("modules", {"module": module}, "mutants")),
        Figure(f"{module}: drawn at random and made", at("modules", {"module": module}, "tried")),
        Figure(f"{module}: noticed by a test", hundredfold(at("modules", {"module": module}, "killed")), "%"),
    )
]
