"""What an environment of its own is: its requirements, and what runs there."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import platformdirs

from workbench.errors import ConfigError, unknown_name
from workbench.third_parties import declared

ENTRY_POINTS = "workbench.environments"
#: Modules with a tuple ``ENVIRONMENTS``; data only.
CATALOGUES = ("workbench.isolated.catalogue",)
FOLDER_VARIABLE = "WORKBENCH_ENVIRONMENTS"


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """An environment that an engine runs in because its packages cannot live beside ours.

    Attributes:
        name: what ``EngineInfo.environment`` says.
        requirements: lines for pip, pinned; numpy must be among them or come with them.
        child: ``module:Class`` of the object that works there; the module imports nothing of the workbench.
        paths: folders in which that module lies; they come last on the search path, behind the environment's own packages.
        imports: modules whose import proves that the environment is whole.
        python: program that makes the environment (``python3.10``); empty: the one we run on.
        variables: names of environment variables that the child sees besides the usual ones (``isolated.process.VARIABLES``).
    """

    name: str
    requirements: tuple[str, ...]
    child: str
    paths: tuple[str | Path, ...] = ()
    imports: tuple[str, ...] = ("numpy",)
    python: str = ""
    variables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set("/\\ ") or self.name.startswith("."):
            raise ConfigError("not a name for an environment", got=self.name, expected="letters, digits, dots and dashes")
        if isinstance(self.requirements, str) or not all(isinstance(line, str) for line in self.requirements):
            raise ConfigError("requirements of an environment are a tuple of lines for pip", where=self.name, got=self.requirements)
        if self.child.count(":") != 1:
            raise ConfigError("not a child of an environment", where=self.name, got=self.child, expected="module:Class")
        ours = {Path(path).resolve() for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
        if wrong := [str(path) for path in self.paths if Path(path).resolve() in ours]:
            raise ConfigError(
                "an environment of its own may not see our packages",
                where=self.name,
                got=wrong,
                mend="put the child in a folder of its own",
            )

    def fingerprint(self) -> str:
        """Short hash of what pip is asked for and of the Python that it is installed for."""
        version = self.python or f"{sys.version_info.major}.{sys.version_info.minor}"
        return hashlib.sha256("\n".join((version, *self.requirements)).encode()).hexdigest()[:12]

    def folder(self) -> Path:
        """Where the environment lies once it is installed; other requirements mean another folder."""
        return environments_folder() / f"{self.name}-{self.fingerprint()}"

    def interpreter(self) -> Path:
        return self.folder() / "bin" / "python"

    def is_installed(self) -> bool:
        # The folder gets its name only when everything in it is done.
        return self.interpreter().exists()

    def child_sha256(self) -> str:
        """Hash of the child's source, so that a changed child is another engine; empty where it lies inside the environment itself."""
        module = self.child.partition(":")[0].replace(".", "/")
        for folder in map(Path, self.paths):
            for path in (folder / f"{module}.py", folder / module / "__init__.py"):
                if path.is_file():
                    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        return ""


def environments_folder() -> Path:
    """``$WORKBENCH_ENVIRONMENTS``, or ``environments`` in the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("workbench")) / "environments"


def known() -> list[EnvironmentSpec]:
    """Every environment that a catalogue, an installed package or a module of ``WORKBENCH_ENGINE_MODULES`` declares; a later one of the
    same name wins."""
    theirs = declared(EnvironmentSpec, called="an environment", attribute="ENVIRONMENTS", entry_points=ENTRY_POINTS)
    found = [*_built_in(), *theirs]
    return list({spec.name: spec for spec in found}.values())


def environment(name: str) -> EnvironmentSpec:
    """
    Raises:
        UnknownNameError: with the nearest known names.
    """
    specs = {spec.name: spec for spec in known()}
    if name not in specs:
        raise unknown_name("environment", name, specs)
    return specs[name]


@cache
def _built_in() -> tuple[EnvironmentSpec, ...]:
    return tuple(spec for name in CATALOGUES for spec in importlib.import_module(name).ENVIRONMENTS)
