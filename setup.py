"""The build of the wheel: the rooms `components` and `providers` of the checkout lie inside the package there, so that
they shadow nobody's. The checkout keeps its names, to which the states of its stacks refer. The sdist is built here,
too, because that of setuptools differs from build to build."""

import ast
import os
import re
import shutil
import tarfile
import time
from gzip import GzipFile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOMS = ("components", "providers")
_ROOM = "|".join(ROOMS)
_REWRITES = (
    (re.compile(rf"^(\s*)from ({_ROOM})(?=[. ])", re.MULTILINE), r"\1from flexsaml.\2"),
    (re.compile(rf"^(\s*)import ({_ROOM})$", re.MULTILINE), r"\1from flexsaml import \2"),
    (re.compile(rf'"({_ROOM})\.(?=\w+"[,}}])'), r'"flexsaml.\1.'),  # a module by its name
)


def move_imports(source: str) -> str:
    """The source of a module with the rooms' names as they are in the wheel. Raises ValueError if one is left."""
    for pattern, replacement in _REWRITES:
        source = pattern.sub(replacement, source)
    if left := find_room_names(ast.parse(source)):
        raise ValueError(f"names of rooms outside the package: {', '.join(left)}; setup.py does not know this form")
    return source


def find_room_names(tree: ast.Module) -> "list[str]":
    """What imports a room by its name in the checkout, or could: absolute imports, text that names a module, and a
    room's name as the argument of a call, such as `import_module`."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module or "")
        elif isinstance(node, ast.Call):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            names += [text.value for text in given if isinstance(text, ast.Constant) and text.value in ROOMS]
        elif isinstance(node, ast.Constant) and re.fullmatch(r"[\w.]+", str(node.value)):
            names.append(str(node.value) if "." in str(node.value) else "")
    return [name for name in names if name.partition(".")[0] in ROOMS]


class BuildWithMovedImports(build_py):
    def run(self) -> None:
        if self.editable_mode:  # imports would stay as they are in the checkout, and find the program's own modules
            raise SystemExit("flexsaml has no editable installation; leave out -e, and install again after a change")
        # pip builds in the checkout: modules that were deleted since the last build would get into the wheel.
        shutil.rmtree(Path(self.build_lib) / "flexsaml", ignore_errors=True)
        super().run()

    def build_module(self, module: str, module_file: str, package: "list[str]") -> "tuple[str, bool]":
        built: tuple[str, bool] = super().build_module(module, module_file, package)
        target = Path(built[0])
        text = target.read_text(encoding="utf-8")
        try:
            moved = move_imports(text)
        except ValueError as problem:
            raise SystemExit(f"{module_file}: {problem}") from None
        if moved != text:
            target.write_text(moved, encoding="utf-8")
        return built


class BuildReproducibleSdist(sdist):
    """An archive that follows from the files and SOURCE_DATE_EPOCH alone. That of setuptools, which heeds the variable
    in wheels only, has the time of the build in it, and the user who built it (pypa/setuptools issue 2133)."""

    def make_archive(self, base_name: str, format: str, *_: object, base_dir: str, **__: object) -> str:
        if format != "gztar":
            raise SystemExit(f"the sdist of flexsaml is a gztar, not a {format}")
        seconds = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))

        def set_owner_time_and_mode(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = seconds
            entry.mode = 0o755 if entry.isdir() else 0o644
            return entry

        path = f"{base_name}.tar.gz"
        with (
            open(path, "wb") as file,
            GzipFile("", "wb", fileobj=file, mtime=seconds) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            archive.add(base_dir, filter=set_owner_time_and_mode)
        return path


def list_packages() -> "dict[str, str]":
    """Name in the wheel to directory in the checkout."""
    here = Path(__file__).parent
    packages = {}
    for room in ("flexsaml", *ROOMS):
        for init in sorted((here / room).rglob("__init__.py")):
            directory = init.parent.relative_to(here)
            name = ".".join(directory.parts)
            packages[name if room == "flexsaml" else f"flexsaml.{name}"] = str(directory)
    return packages


if __name__ == "__main__":
    commands = {"build_py": BuildWithMovedImports, "sdist": BuildReproducibleSdist}
    setup(packages=list(list_packages()), package_dir=list_packages(), cmdclass=commands)
