"""The figures and bars of what is labeled and learned: accuracy, confidence, certificates, language models."""

from benchmarks.bars import Figure, Json, at, hundredfold

CATEGORIES_BEFORE = {"ag_news": 0.82, "banking77": 0.68, "snips": 0.87}  # least accuracy before any review
OTHER_SETS = ("consumer_complaints", "hate_offensive", "sib200")
REVIEWS = (0, 10, 25, 50, 100, 200, 500, 1000)
KINDS = {
    "good": ".9 right",
    "biased": ".9 right, a quarter of the categories mostly called another",
    "weak": ".6 right",
    "sure": ".8 right, always certain",
    "useless": "right by chance",
    "words": "the encoder's own words, too sure",
}
PLANS = {
    "by hand": "by hand",
    "zero-shot": "zero-shot, no learning",
    "learning": "learning",
    "careful audit": "learning, audit by two people and a third",
}
NO_SPARE_CORE = (
    "One client keeps llama.cpp busy on its one core without a pause: of the second that a label takes, three"
    " quarters are reading the text's own tokens and the rest is writing the answer. With the same prompt no client"
    " could be faster than 1.27 times, even if nothing were written. Side by side helps where a server waits,"
    " batches or has cores of its own: the row of the server that waits."
)
NO_HALVES = (
    "On processors that do not multiply bfloat16 by themselves (AVX-512 BF16, AMX) the program computes in 32 bits, and"
    " reading the text's own tokens, which is the same for both, is most of the time."
)


# --- Zero-shot --------------------------------------------------------------------------------------------------------

ENCODE = [
    Figure("sentence-transformers at its best batch size", at("rival", "texts_per_second"), "texts/s"),
    Figure("exact", at("exact", "texts_per_second"), "texts/s"),
    Figure("fast (int8)", at("fast", "texts_per_second"), "texts/s"),
    Figure("exact beside sentence-transformers, wall", at("exact_times_rival_wall"), "times", least=1.4),
    Figure("exact beside sentence-transformers, processor", at("exact_times_rival_cpu"), "times"),
    Figure("exact: least cosine to torch in 32 bits", at("exact_least_cosine_to_torch"), least=0.9999),
    Figure("fast beside sentence-transformers, wall", at("fast_times_rival_wall"), "times", least=2),
    Figure("fast beside sentence-transformers, processor", at("fast_times_rival_cpu"), "times"),
    Figure("fast: least cosine to torch in 32 bits", at("fast_least_cosine_to_torch")),
    Figure("accuracy that fast loses, by category descriptions", at("fast_points_lost_described"), "points", most=0.5),
    Figure("accuracy that fast loses, by regression", at("fast_points_lost_learned"), "points", most=0.5),
]

ACCURACY = [
    *(
        Figure(f"accuracy, {name}", at("sets", {"set": name}, "pool_aware"), least=least)
        for name, least in CATEGORIES_BEFORE.items()
    ),
    *(Figure(f"accuracy, {name}", at("sets", {"set": name}, "pool_aware")) for name in OTHER_SETS),
    Figure("gain over plain zero-shot, mean of the sets", hundredfold(at("mean_gain")), "points", least=3),
    Figure("gain over plain zero-shot, worst set", hundredfold(at("worst_gain")), "points", least=-2),
]


# --- Learning from reviews --------------------------------------------------------------------------------------------


def share_of_sets(reviews: int) -> Figure:
    def read(printed: Json) -> float:
        reached, sets = printed["reached"][str(reviews)]
        return float(reached / sets)

    words = f"sets on which 70 % of the reviews, from the queue, are as good as {reviews:,} at random"
    return Figure(words, read, "of the sets", least=0.5)


LEARNING_CURVE = [
    *(Figure(f"accuracy after {n:,} reviews, mean", at("mean", {"reviews": n}, "learned")) for n in REVIEWS),
    *(
        Figure(
            f"the same, less the better of regression and prototypes, {n:,} reviews",
            at("mean", {"reviews": n}, "gap"),
            least=-0.01,
        )
        for n in REVIEWS
    ),
    Figure("accuracy of banking77, 500 reviews", at("random", "banking77", {"reviews": 500}, "learned"), least=0.80),
    Figure("accuracy of banking77, 1,000 reviews", at("random", "banking77", {"reviews": 1000}, "learned"), least=0.84),
    Figure("accuracy of ag_news, 50 reviews", at("random", "ag_news", {"reviews": 50}, "learned"), least=0.82),
    Figure(
        "slowest training on 1,000 reviews",
        at("mean", {"reviews": 1000}, "slowest"),
        "s",
        most=2,
    ),
    *(share_of_sets(reviews) for reviews in (200, 500, 1000)),
]

FINE_TUNING = [
    Figure(f"{words}, {reviews} reviews", at("fine_tuned", {"reviews": reviews}, key), unit)
    for reviews in (50, 200)
    for words, key, unit in (
        ("accuracy of snips, learned", "learned", ""),
        ("accuracy of snips, SetFit", "setfit", ""),
        ("processor time, learned", "learned_cpu", "s"),
        ("processor time, SetFit", "setfit_cpu", "s"),
    )
]


def rows_of(kind: str, printed: Json) -> list[list[dict[str, float]]]:
    """For each set the rows by number of reviews."""
    return [rows for key, rows in printed["sets"].items() if key.endswith(f" {kind}")]


def mean_over_sets(kind: str, name: str, *, reviews: int) -> Figure:
    def read(printed: Json) -> float:
        found = [at({"reviews": reviews}, name)(rows) for rows in rows_of(kind, printed)]
        return sum(found) / len(found)

    return Figure(f"{KINDS[kind]}: accuracy, {name}, {reviews} reviews", read)


def worst_gap(kind: str) -> Figure:
    def read(printed: Json) -> float:
        return min(row["gap"] for rows in rows_of(kind, printed) for row in rows if row["reviews"] >= 25)

    return Figure(f"{KINDS[kind]}: stacked less the better of model and vectors, worst from 25 reviews on", read)


STACKING = [
    figure
    for kind in KINDS
    for figure in (
        mean_over_sets(kind, "model", reviews=200),
        mean_over_sets(kind, "vectors", reviews=200),
        mean_over_sets(kind, "stacked", reviews=200),
        worst_gap(kind),
    )
]


# --- Confidence and certificates --------------------------------------------------------------------------------------


GUARANTEE = [
    Figure("largest share of 1,000 audits whose promise was broken", at("worst_broken"), most=0.0638),
    *(
        Figure(
            f"{promise} {budget:.0%}: share accepted by machine",
            at("mean", {"promise": promise, "budget": budget}, "certificate", "coverage"),
        )
        for promise in ("dataset", "precision")
        for budget in (0.01, 0.02, 0.05, 0.1)
    ),
]

CALIBRATION = [
    Figure(
        f"calibration error after {reviews:,} reviews, mean of the sets",
        at("mean", {"reviews": reviews}, "program", "ece"),
        most=0.06 if reviews == 200 else None,
    )
    for reviews in (50, 100, 200, 500, 1000, 2000)
]

MISTAKES = [
    Figure(f"{words}, {reviews:,} decisions", at("mean", {"reviews": reviews}, key))
    for reviews in (200, 1_000, 5_000)
    for words, key in (
        ("changed ones among the first 20", "first_20"),
        ("changed ones among the first 50", "first_50"),
        ("of n changed ones those among the first 2n", "recall"),
        ("AUC", "auc"),
        ("listed although nothing was changed", "listed"),
    )
]

CAMPAIGN = [
    figure
    for plan, words in PLANS.items()
    for figure in (
        Figure(f"{words}: hours for 20,000 texts", at("mean", {"plan": plan}, "hours"), "h"),
        Figure(f"{words}: wrong of all labels delivered", at("mean", {"plan": plan}, "wrong")),
        Figure(f"{words}: campaigns whose promise was broken", at("mean", {"plan": plan}, "broken")),
    )
]


# --- Language models --------------------------------------------------------------------------------------------------

LLM = [
    Figure("the openai client, llama.cpp, one thread", at("model", "rival_labels_per_second"), "labels/s"),
    Figure("ours, llama.cpp, one thread", at("model", "labels_per_second"), "labels/s"),
    Figure("beside it, llama.cpp, one thread", at("model", "times_rival"), "times", least=2, why_missed=NO_SPARE_CORE),
    Figure("beside it, a server that waits 0.2 s", at("latency", "times_rival"), "times", least=2),
    Figure("answers that are no category, llama.cpp", at("model", "no_category"), most=0),
    Figure("answers that are no category, a server that waits", at("latency", "no_category"), most=0),
]

CAUSAL_LM = [
    Figure('the name generated by pipeline("text-generation")', at("rival_texts_per_second"), "texts/s"),
    Figure("the names' likelihoods", at("texts_per_second"), "texts/s"),
    Figure("beside it, wall", at("times"), "times", least=3, why_missed=NO_HALVES),
    Figure("beside it, processor", at("times_processor"), "times"),
    Figure("generated answers that are no category", at("rival_no_category"), "of 40"),
]


def invalid(printed: Json) -> float:
    return float(sum(tally["invalid"] for tally in printed.values()))


def failed(*, by_faulty_servers: bool) -> Figure:
    def read(printed: Json) -> float:
        return float(max(one["failed"] for name, one in printed.items() if ("faulty" in name) == by_faulty_servers))

    words = "a server whose every third answer is of no use" if by_faulty_servers else "any other provider"
    return Figure(f"texts of 1,000 without an answer and with a reason, {words}", read)


VALID_ANSWERS = [
    Figure("answers of all providers that are no distribution over the categories", invalid, most=0),
    failed(by_faulty_servers=False),
    failed(by_faulty_servers=True),
]
