"""Adoption: a file for `pulumi import --file` that makes existing objects this stack's own.

`pulumi import TYPE NAME ID` cannot work for dynamic resources: the engine would ask a provider that it does not know
yet. An import file with inputs and outputs can: then the provider is not asked at all (tried). So the component itself
is built here, without an engine: its children and their inputs are what `pulumi up` would register, each is looked up
in the tenant, and what exists goes into the file.

Adopted objects are owned: destroy deletes them. Nobody knows what users held before, so their prior
values count as unset. Reads only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import pulumi
from pulumi.runtime import mocks

from flexsaml.graph import Directory
from providers import Connection, provider_class

from .flex_saml_claims import FlexSamlClaims


@dataclass
class Adoption:
    """The import file, and what is not in it because the tenant does not have it."""

    resources: list[dict[str, Any]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {"resources": self.resources}


class _Recorder(mocks.Mocks):
    """Takes the engine's place: looks each resource up in the tenant instead of creating it."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self.adoption = Adoption()
        self._directory = directory
        self._component = ""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            self._component = args.name
            self.adoption.resources.append({"type": args.typ, "name": args.name, "component": True})
            return None, args.inputs
        given = {key: value for key, value in args.inputs.items() if not key.lstrip("_").startswith("seen")}
        kind = provider_class(args.typ.rsplit(":", 1)[-1]).kind
        inputs, _ = kind.check({}, given)
        existing = kind.adopt(self._directory(), inputs)
        if existing is None:
            self.adoption.absent.append(f"{kind.name} {kind.describe(inputs)}")
            return "", inputs
        id_, outputs = existing
        reference = {"__provider": given["__provider"]}
        kept = {key: outputs[key] for key in kind.inputs if key in outputs}
        self.adoption.resources.append(
            {
                "type": args.typ,
                "name": args.name,
                "id": id_,
                "parent": self._component,
                "inputs": {**kept, **reference},
                "outputs": {**outputs, **reference},
            }
        )
        return id_, outputs

    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise NotImplementedError(f"the component calls no function of a provider ({args.token})")


def adopt(name: str, read_keys: Callable[[], Mapping[str, object]], project: str, stack: str) -> Adoption:
    """What of the component exists in the tenant. Raises `pulumi.RunError` as the component does.

    `read_keys` is called once project and stack are known, on which default names depend.
    """
    directory = cache(Connection.from_config(pulumi.Config("flexsaml").get).directory)
    recorder = _Recorder(directory)
    mocks.set_mocks(recorder, project=project, stack=stack, preview=False)
    mocks.test(lambda: FlexSamlClaims(name, read_keys(), directory=directory).policy_id)()  # type: ignore[no-untyped-call]
    return recorder.adoption
