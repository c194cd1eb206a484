"""Installing one of our programs by itself: nothing of this repository beside it, no package that it does not name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.needs import missing

ROOT = Path(__file__).resolve().parent.parent


def install(name: str, folder: Path) -> Path:
    """What an installation of the top-level folder `name` brings: the packages that its pyproject.toml names, beside
    links to what it requires; where all of it stands. Needs no network and no build tool."""
    with (ROOT / name / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    target = folder / "site"
    for package in project["tool"]["setuptools"]["packages"]:
        inside = Path(*package.split("."))
        (target / inside).mkdir(parents=True)
        for module in (ROOT / inside).glob("*.py"):
            shutil.copy(module, target / inside)
    _link(project["project"]["dependencies"], target)
    return target


def run(site: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m module` with the packages of `site` and no others."""
    command = [sys.executable, "-S", "-m", module, *arguments]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site)}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=site.parent, env=environment, timeout=60
    )


def _link(wanted: list[str], target: Path) -> None:
    """Links to the installed packages that are required, and to what those require."""
    left, seen = [Requirement(one) for one in wanted], set[str]()
    while left:
        one = left.pop()
        if one.marker is not None and not any(one.marker.evaluate({"extra": extra}) for extra in {"", *one.extras}):
            continue
        key = f"{one.name.lower()}[{','.join(sorted(one.extras))}]"
        if key in seen:
            continue
        seen.add(key)
        try:
            found = metadata.distribution(one.name)
        except metadata.PackageNotFoundError:
            missing(one.name)
        _link_files(found, target)
        left += _required(found, one.extras)


def _required(found: metadata.Distribution, extras: set[str]) -> list[Requirement]:
    """What a distribution requires with these of its extras; the markers that ask for an extra are decided here."""
    required = []
    for text in found.requires or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            one.marker = None
            required.append(one)
    return required


def _link_files(found: metadata.Distribution, target: Path) -> None:
    tops = {path.parts[0] for path in found.files or () if path.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        if not (target / top).exists():
            (target / top).symlink_to(Path(str(found.locate_file(top))).resolve())
