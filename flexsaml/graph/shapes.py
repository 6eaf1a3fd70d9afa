"""Answers of Graph without the shape that it documents are errors: an empty object must not pass for an empty list. A
proxy or an outage may answer 200 with nothing, `{}` or an error object. What is missing from such an answer would count
as absent, and absence permits deletions. A collection has a `value`, a list of objects, each with an `id`; an entity
has an `id`; `@odata.count` is a whole number (A: OData JSON format). The answer to a batch has one object for each
item, with the item's id and a numeric status; a success has no `error`. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .errors import RUN_AGAIN, Unanswered, Unreadable, operation

Json = dict[str, Any]


def check_entity(path: str, body: object) -> Json:
    """The object that the answer to a GET of `path` holds. Raises Unanswered."""
    if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not body["id"]:
        raise _unreadable(path, "an object with an id")
    return body


def read_text(body: Mapping[str, Any], key: str) -> str:
    """A property that every object of this kind has, of one that has an id. Raises Unanswered."""
    text = body.get(key)
    if not isinstance(text, str) or not text:
        words = f"the answer does not have {key}, as Graph's answers have"
        raise Unanswered(f"reading the object {body['id']}", words, RUN_AGAIN)
    return text


def read_texts(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts, which may be absent. Raises Unanswered for anything else."""
    texts = body.get(key) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        words = f"{key} of the answer is not a list of texts, as in Graph's answers"
        raise Unanswered(f"reading the object {body['id']}", words, RUN_AGAIN)
    return tuple(texts)


def read_moment(text: object) -> datetime | None:
    """A date and time, without its fraction; None for what is none. Python 3.10 reads three or six decimals only, and
    Graph may give seven."""
    try:
        moment = datetime.fromisoformat(re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def check_items(path: str, page: Mapping[str, Any]) -> list[Json]:
    """The objects on a page of the collection `path`. Raises Unanswered."""
    items = page.get("value")
    if not isinstance(items, list):
        raise _unreadable(path, "a list of objects")
    return [check_entity(path, item) for item in items]


def check_count(path: str, page: Mapping[str, Any]) -> int:
    """How many objects the collection `path` has. Raises Unanswered."""
    count = page.get("@odata.count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise _unreadable(path, "the number of objects")
    return count


def is_error_object(body: object) -> bool:
    """Whether a body that came with a success is an error all the same, so that nobody knows what was done."""
    return isinstance(body, dict) and "error" in body


def read_batch_answers(body: Mapping[str, Any]) -> dict[str, Json]:
    """The answers to a batch by the id of their item. What has another shape, and an item with two different answers,
    counts as not answered."""
    responses = body.get("responses")
    answers: dict[str, Json] = {}
    contradicted = set()
    for answer in responses if isinstance(responses, list) else ():
        status = answer.get("status") if isinstance(answer, dict) else None
        if type(status) is not int or status < 200:
            continue
        if answers.setdefault(str(answer.get("id")), answer) != answer:
            contradicted.add(str(answer.get("id")))
    return {id_: answer for id_, answer in answers.items() if id_ not in contradicted}


def _unreadable(path: str, missing: str) -> Unreadable:
    return Unreadable(operation("GET", path), f"the answer does not have {missing}, as Graph's answers have", RUN_AGAIN)
