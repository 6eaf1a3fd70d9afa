"""JSON of others: whatever is wrong with the text is a ValueError, so that no reader forgets one of the ways."""

import json
from typing import Any


def load_json(text: str | bytes) -> Any:
    """The value. Raises ValueError for what is no JSON, is nested too deeply, or is not UTF-8."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
