"""JSON of others: whatever is wrong with the text is a ValueError, so that no reader forgets one of the ways."""

import json
from typing import Any

NUMBER_TOO_LONG = "it holds a number of more than 4,300 digits"


def load_json(text: str | bytes) -> Any:
    """The value. Raises ValueError for what is no JSON, is nested too deeply, or is not UTF-8."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:  # Python's words are advice to a programmer
        raise ValueError(NUMBER_TOO_LONG) from None
