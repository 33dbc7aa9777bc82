"""The requirement files: complete, locked, small enough, and without the address of any registry."""

import ast
import re
import sys
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.arrows import APPS, HEAVY_ALLOWED, ROOT, our_sources

WEB_BYTES = 200_000_000
LOCKED = ["requirements-web.txt", "requirements-locked.txt", "requirements-dev.txt"]
# Apps and folders that need more than the web's set, each only when it runs.
BEYOND_WEB = (
    "synth.methods",
    "synth.transport",
    "synth.wire",
    "synth.client",
    "synth.checking_worker",
    "scoring.prm",
    "scoring.train",
)


def requirements(name: str) -> dict[str, Requirement]:
    """What the file names for this Python and platform, by normal name. Hashes and comments left out."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            one = Requirement(line.rstrip("\\ "))
            if one.marker is None or one.marker.evaluate(default_environment()):
                found[normal(one.name)] = one
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_bytes(name: str) -> int:
    """Sizes of the files an installation of this distribution wrote, byte code included where it did."""
    files = distribution(name).files or []
    paths = [file.locate() for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())  # type: ignore[attr-defined]


def test_the_web_stays_small() -> None:
    sizes = {name: installed_bytes(name) for name in requirements("requirements-web.txt")}
    largest = sorted(sizes.items(), key=lambda pair: -pair[1])[:8]
    assert sum(sizes.values()) <= WEB_BYTES, largest


def test_each_size_is_a_real_one() -> None:
    assert installed_bytes("django") > 5_000_000


@pytest.mark.parametrize("name", LOCKED)
def test_every_line_is_pinned_and_hashed(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("name", [*LOCKED, "requirements.txt", "package-lock.json", "Makefile"])
def test_no_registry_is_named(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"--(extra-)?index-url|--find-links|\"resolved\"|//(registry|files|pypi)\b", text)


def test_a_package_has_one_version_in_all_files() -> None:
    pins = [{n: str(r.specifier) for n, r in requirements(file).items()} for file in LOCKED]
    web, everything, dev = pins
    assert web.items() <= everything.items() <= dev.items()
    unlocked = {n: str(r.specifier) for n, r in requirements("requirements.txt").items()}
    assert unlocked.pop("torch") == ">=2.6"
    assert unlocked == everything


@pytest.mark.parametrize("name", LOCKED)
def test_torch_and_its_gpu_libraries_stand_outside_the_lock(name: str) -> None:
    names = requirements(name)
    assert not [one for one in names if one in {"torch", "triton"} or one.startswith("nvidia")]


def test_what_the_code_imports_is_locked() -> None:
    """Whatever reviewing imports is in the web's set; the rest may use everything."""
    web, everything = requirements("requirements-web.txt"), requirements("requirements-locked.txt")
    owners = packages_distributions()
    missing = []
    for module, text in our_sources().items():
        beyond = module in HEAVY_ALLOWED or module.startswith(BEYOND_WEB)
        allowed = {*everything, "torch"} if beyond else web
        for name in sorted(foreign_packages(text)):
            if not {normal(owner) for owner in owners.get(name, [])} & set(allowed):
                missing.append(f"{module} imports {name}")
    assert missing == []


def foreign_packages(text: str) -> set[str]:
    """Top-level packages that a source imports and that are neither Python's nor ours."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - set(APPS)
