"""Counts as people read them: one text, 1,234 texts."""


def counted(count: int, one: str, many: str = "") -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many or one + 's'}"


def texts(count: int) -> str:
    return counted(count, "text")


def have(count: int) -> str:
    return "has" if count == 1 else "have"
