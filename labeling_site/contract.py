"""What the OpenAPI document says about the API as a whole."""

VERSION = "1.0.0"
DESCRIPTION = """
Label texts, review what the model said, and read what holds now.

**Who you are.** Programs send `Authorization: Bearer KEY`; a key is made under *API keys* in the admin, by
`POST /api/keys`, or by `manage.py create_api_key`. It has scopes (`read`, `label`, `review`, `manage`), may be bound to
projects, and never allows more than its user may do. In the browser, the session of the person is used.

**Projects.** `project` is a name or an id; left out, the project *Default* is meant, or in lists all that you may see.
What is of a project that you may not see is not found.

**Lists** come in pages of `limit` rows (50; at most 500) in a stable order. `next` is the address of the page after
this one, null on the last. A parameter that a list does not know is refused.

**Errors** are problem details (`application/problem+json`, RFC 9457): programs go by `code`, people by `detail`, and
`errors` names the fields.

**Sending again.** Every POST takes an `Idempotency-Key`: the same key with the same request has one effect and one
answer, however often the network makes you send it. A request that failed had no effect and may be sent again.

**Limits.** Beyond the allowed number of requests a minute the answer is 429, with `Retry-After` in seconds.
"""

# In the order of the document.
TAGS = {
    "projects": "Labeling tasks, who works on them, and their error budgets.",
    "categories": "The allowed answers of a project.",
    "label": "Texts that are labeled while you wait, or soon.",
    "texts": "What is to be labeled, and what holds for it now.",
    "labels": "What a model said or a person decided about a text, version by version.",
    "imports": "Files of texts that were brought in.",
    "exports": "Labeled texts as files.",
    "reviews": "What waits for you, what you decide about it, and what was decided.",
    "assignments": "Texts that lie on desks.",
    "runs": "Passes of a model over a project's texts, in the background.",
    "classifiers": "What was learned from reviews, and how good it is.",
    "certificates": "What the blind audit has proven about the labels.",
    "statistics": "How far a project is, and how good.",
    "keys": "Your API keys.",
}

SETTINGS = {
    "TITLE": "Text labeling",
    "DESCRIPTION": DESCRIPTION.strip(),
    "VERSION": VERSION,
    "LICENSE": {"name": "MIT"},
    "TAGS": [{"name": name, "description": words} for name, words in TAGS.items()],
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "labeling.choices.RunStatus",
        "RunOrigin": "labeling.choices.RunOrigin",
        "ImportStatus": "labeling.choices.ImportStatus",
        "TextStatus": "labeling.choices.TextStatus",
        "LabelOrigin": "labeling.choices.LabelOrigin",
        "ClassifierKind": "labeling.choices.ClassifierKind",
        "ReviewAction": "reviews.models.Action",
    },
    "COMPONENT_SPLIT_REQUEST": True,  # what must not be blank in a request may be so in an answer
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATIONS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "labeling.openapi.complete",
    ],
}
