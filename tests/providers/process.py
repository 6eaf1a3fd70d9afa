"""The provider in its own process, spoken to as the engine does, without the CLI. A helper, not a test.

`python -m pulumi.dynamic <engine>` is what the engine starts; the engine it reports to is a small gRPC server here
that keeps the lines it is told. Properties cross as protobuf structs, so numbers are doubles and None is gone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from flexsaml.values import RosterTable
from providers import provider_class

PROJECT = Path(__file__).resolve().parents[2]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Props = dict[str, Any]


class FakeEngine(engine_pb2_grpc.EngineServicer):
    """Keeps what providers say."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Log(self, request: Any, _context: Any) -> Any:
        self.lines.append(request.message)
        return empty_pb2.Empty()

    def stop(self) -> None:
        self._server.stop(0).wait()


class Refused(Exception):
    """An RPC that failed; the text is what Pulumi would print."""


class ProviderProcess:
    """One provider process; `kind` in each call names the resource."""

    def __init__(self, config: Mapping[str, str], engine: str, *, cwd: Path = PROJECT, env: Any = None) -> None:
        command = [str(PROJECT / ".venv" / "bin" / "python"), "-u", "-m", "pulumi.dynamic", engine]
        self.process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        port = self.process.stdout.readline().strip()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._call("Configure", provider_pb2.ConfigureRequest(args=struct(dict(config))))

    def stop(self) -> str:
        """End it; returns what it wrote."""
        self._channel.close()
        self.process.kill()
        out, err = self.process.communicate()
        return f"{out}{err}"

    def check(self, kind: str, news: Props, olds: Props | None = None) -> tuple[Props, dict[str, str]]:
        request = provider_pb2.CheckRequest(
            olds=struct(with_reference(kind, olds) if olds else {}), news=struct(with_reference(kind, news))
        )
        answer = self._call("Check", request)
        return plain(answer.inputs), {failure.property: failure.reason for failure in answer.failures}

    def checked(self, kind: str, news: Props, olds: Props | None = None) -> Props:
        inputs, failures = self.check(kind, news, olds)
        assert failures == {}
        return inputs

    def diff(self, kind: str, id_: str, olds: Props, news: Props) -> tuple[bool, list[str], bool]:
        """Whether it changes, what replaces it, and whether delete comes first."""
        olds_struct, news_struct = struct(with_reference(kind, olds)), struct(with_reference(kind, news))
        answer = self._call("Diff", provider_pb2.DiffRequest(id=id_, olds=olds_struct, news=news_struct))
        changes = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        return changes, list(answer.replaces), answer.deleteBeforeReplace

    def create(self, kind: str, inputs: Props) -> tuple[str, Props]:
        answer = self._call("Create", provider_pb2.CreateRequest(properties=struct(with_reference(kind, inputs))))
        return answer.id, plain(answer.properties)

    def update(self, kind: str, id_: str, olds: Props, news: Props) -> Props:
        request = provider_pb2.UpdateRequest(
            id=id_, olds=struct(with_reference(kind, olds)), news=struct(with_reference(kind, news))
        )
        return plain(self._call("Update", request).properties)

    def read(self, kind: str, id_: str, outs: Props) -> tuple[str, Props, Props]:
        request = provider_pb2.ReadRequest(id=id_, properties=struct(with_reference(kind, outs)))
        answer = self._call("Read", request)
        return answer.id, plain(answer.properties), plain(answer.inputs)

    def delete(self, kind: str, id_: str, outs: Props) -> None:
        self._call("Delete", provider_pb2.DeleteRequest(id=id_, properties=struct(with_reference(kind, outs))))

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=60)
        except grpc.RpcError as error:
            raise Refused(error.details()) from None


def reference(kind: str) -> str:
    """The `__provider` string that state keeps for this kind."""
    return str(serialize_provider(provider_class(kind)()))


def with_reference(kind: str, props: Props) -> Props:
    return {"__provider": reference(kind), **props}


def struct(props: Props) -> Any:
    made = struct_pb2.Struct()
    json_format.ParseDict(props, made)
    return made


def plain(struct: Any) -> Props:
    properties: Props = json_format.MessageToDict(struct)
    properties.pop("__provider", None)
    return properties


def packed(cells: Mapping[str, Any], ids: Mapping[str, str] | None = None) -> str:
    """The packed input of cells by user; `ids`: object ids by user."""
    return RosterTable.from_cells(cells, ids).pack()
