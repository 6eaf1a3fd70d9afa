"""The wheel of this checkout, unpacked as pip installs it. A helper."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.torture import PROJECT

_SOURCES = (
    "flexsaml",
    "components",
    "providers",
    "setup.py",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "MANIFEST.in",
    "LICENSE",
)


def copy_sources(directory: Path, project: Path = PROJECT) -> Path:
    """What a build needs, so that it leaves nothing in the checkout. `project` may be a checkout of an earlier commit,
    which lacks some of the files."""
    sources = [name for name in _SOURCES if (project / name).exists()]
    archive = str(directory / "sources.tar")
    subprocess.run(["tar", "-C", str(project), "--exclude", "__pycache__", "-cf", archive, *sources], check=True)
    copy = directory / "sources"
    copy.mkdir()
    subprocess.run(["tar", "-C", str(copy), "-xf", archive], check=True)
    return copy


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def build_wheel(sources: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    return pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(directory), str(sources))


def build_sdist(sources: Path, directory: Path) -> Path:
    """The archive of the sources, built by the same backend."""
    program = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(directory)], cwd=sources, capture_output=True, check=True)
    (sdist,) = directory.glob("*.tar.gz")
    return sdist


def install_wheel(directory: Path, project: Path = PROJECT) -> Path:
    """The directory in which the package lies; its dependencies are those of the running Python."""
    built = build_wheel(copy_sources(directory, project), directory)
    assert built.returncode == 0, built.stderr
    (wheel,) = directory.glob("*.whl")
    installed = pip("install", "--no-deps", "--target", str(directory / "installed"), str(wheel))
    assert installed.returncode == 0, installed.stderr
    return directory / "installed"
