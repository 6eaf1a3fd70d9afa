"""What the tenant has of a registration, and the steps carried out in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flexsaml.errors import UserError
from flexsaml.graph import OUTCOME_UNKNOWN, Directory, Forbidden, GraphError, Registration

from .plan import APPLICATION, MARK, REFERENCE, Existing, OwnedObject, Step, Wanted

INDEXED_WITHIN = 60.0
"""Seconds in which a list by name must show a new registration, which the next run looks for."""


class StepRefused(UserError):
    """Graph refused a step (403). `remaining`: it and those after it; `made`: those before it."""

    def __init__(self, step: Step, remaining: Sequence[Step], refusal: Forbidden, made: Sequence[Step]) -> None:
        again = "run the same command again"
        if any(other.is_secret for other in made):  # its name does not prove who made it (adoption.py)
            again += " with --accept-existing, which keeps the secret"
        super().__init__(
            f"{step.title}: refused ({refusal.words}); what stands before it is made; {refusal.hint}, and {again}, or "
            "let an administrator run the rest, printed as `az` commands"
        )
        self.remaining = tuple(remaining)


def find_registration(directory: Directory, name: str) -> str:
    """Object id of the registration of that name that `setup` made; "" if there is none. Raises `UserError` where the
    name is somebody else's, or several have the mark."""
    listed = directory.find_applications(name)
    marked = [id_ for id_, tags in listed if MARK in tags]
    if len(marked) > 1:  # a list may still show a registration that was deleted just now
        marked = [id_ for id_ in marked if directory.application(id_)]
    if len(marked) > 1:
        ids = ", ".join(marked)
        raise UserError(
            f"{len(marked)} app registrations called '{name}' have the tag {MARK} ({ids}); delete all but one"
        )
    if listed and not marked:
        words = f"an app registration called '{name}' exists ({listed[0][0]}) that setup did not make"
        raise UserError(f"{words}; it stays as it is: choose another name with --name")
    return marked[0] if marked else ""


def read_existing(directory: Directory, wanted: Wanted, application_id: str = "") -> Existing:
    """`application_id`: of the registration, where it is known."""
    graph = directory.graph_permissions()
    application_id = application_id or find_registration(directory, wanted.name)
    registration: Registration | None = None
    if application_id:
        registration = directory.read_registration(application_id, graph_id=graph.id, with_grants=wanted.as_person)
    owned = wanted.owned if registration else ()
    owners = {target.id: directory.owner_ids(target.collection, target.id) for target in owned}
    return Existing(graph, registration, owners)


def find_owned_objects(directory: Directory, principal: str, application: str) -> tuple[OwnedObject, ...]:
    """The service principal of Flex, and the application that holds the extensions: `application`, else its own. Raises
    `PrincipalNotFound`, or `UserError` for an application that is not in this tenant."""
    flex = directory.find_service_principal(principal)
    holder = directory.application(application or flex.app_id)
    if holder is None:
        words = f"the application {application or flex.app_id}, which holds the extensions, is not in this tenant"
        raise UserError(f"{words}; name one of this tenant as flexsaml:application")
    return (
        OwnedObject("applications", holder.id, holder.display_name),
        OwnedObject("servicePrincipals", flex.id, flex.display_name),
    )


def carry_out(
    directory: Directory,
    steps: Sequence[Step],
    known: dict[str, str],
    replan: Callable[[str], tuple[list[Step], Mapping[str, str]]],
    *,
    on_step: Callable[[Step, Mapping[str, Any]], None],
    name: str,
) -> None:
    """Makes what is not there, in order. `known`: references and their values, which grow. `replan(application id)`:
    the steps and references as the tenant is now. `on_step` gets each step with the answer. Raises `StepRefused`."""
    waiting = [step for step in steps if not step.is_there]
    for number, step in enumerate(waiting):

        def is_done(step: Step = step) -> bool:
            planned, references = replan(known.get(APPLICATION, ""))
            known.update(references)
            return any(other.is_there for other in planned if other.title == step.title)

        newest = step
        if step.method == "PATCH":  # of a whole list, in which somebody may have added something since it was planned
            newest = next((other for other in replan(known[APPLICATION])[0] if other.title == step.title), step)
        path, body = resolve(newest.path, known), resolve(newest.body, known)
        try:
            if APPLICATION in step.gives:
                answer = _make_registration(directory, step, body, is_done)
            else:
                answer = directory.carry_out(step.method, path, body, is_done=None if step.is_secret else is_done)
        except Forbidden as refusal:
            made = steps[: steps.index(step)]
            raise StepRefused(step, waiting[number:], refusal, made) from refusal
        known.update({reference: str(answer[key]) for reference, key in step.gives.items() if key in answer})
        on_step(step, answer)
        if APPLICATION in step.gives:
            what = f"GET /applications by the name '{name}' after its creation"
            directory.wait_for(lambda: find_registration(directory, name), what, INDEXED_WITHIN)
    if waiting:
        what = f"GET /applications/{known[APPLICATION]} after its creation"
        directory.wait_for(lambda: _is_complete(replan(known[APPLICATION])[0]), what, INDEXED_WITHIN)


def _make_registration(
    directory: Directory, step: Step, body: object, is_done: Callable[[], bool]
) -> Mapping[str, Any]:
    """Sent once: nothing makes its name unique, and the list by name, the only way to find it after an answer that was
    lost, is late. Raises `UserError` while nobody can know whether it was made."""
    try:
        return directory.carry_out(step.method, step.path, body, is_done=None)
    except OUTCOME_UNKNOWN as problem:
        try:
            directory.wait_for(is_done, f"{problem.operation}: whether it was carried out", INDEXED_WITHIN)
        except GraphError:
            words = "it may have been made, and is not sent again; run the same command again in some minutes"
            raise UserError(f"{step.title}: {problem.operation}: {problem.words}; {words}") from problem
        return {}


def _is_complete(steps: Sequence[Step]) -> bool:
    return all(step.is_there or step.is_secret for step in steps)


def resolve(value: Any, known: Mapping[str, str]) -> Any:
    """The path or body with the values of its references."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda reference: known[reference[0]], value)
    if isinstance(value, dict):
        return {key: resolve(item, known) for key, item in value.items()}
    return [resolve(item, known) for item in value] if isinstance(value, list) else value
