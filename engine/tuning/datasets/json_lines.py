"""JSON Lines as rows (https://jsonlines.org)."""

from __future__ import annotations

import io

from engine.tuning.datasets.json_values import add_value, parse_value
from engine.tuning.datasets.rows import Rows


def parse(text: str, name: str) -> Rows:
    """A record a line; a line that is none is left out and said."""
    found = Rows("jsonl")
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            value = parse_value(line)
        except ValueError as error:
            found.add_broken(number, f"This line is no JSON: {error}.")
            continue
        add_value(found, number, value)
    return found
