"""The architecture as a checker: who may import whom (docs/development.md). Reads sources, runs nothing."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Each may import what stands after the arrow, and itself. `config` is the frame: nothing of ours imports it.
APPS: dict[str, set[str]] = {
    "config": {"api", "synth", "scoring", "annotator"},
    "api": {"synth", "scoring", "annotator"},
    "synth": {"annotator"},
    "scoring": {"annotator"},
    "annotator": set(),
}

# Folders of plain Python: neither Django nor Celery, nor anything of ours that has them.
PURE = ("annotator.core", "annotator.formats", "synth.methods", "scoring.metrics", "scoring.prm")
PURE_MAY_USE = (*PURE, "annotator.errors")
FRAMEWORKS = {"django", "celery", "rest_framework", "kombu"}

# The floors of annotator, lowest first: a module imports only what is on a lower floor or in its own folder.
FLOORS: list[set[str]] = [
    {"errors", "caching"},
    {"core"},
    {"formats"},
    {"models"},
    {"policies"},
    {"queue", "runs", "blinding", "measured", "reports", "hours", "audit", "lint", "checks"},
    {"actions"},
    {"tasks", "demo"},
    {"views"},
    {"urls", "apps", "management"},
]
# The pages are one room: tags, forms and middleware may use each other and the views; circles are refused.
ROOM = {"templatetags": "views", "forms": "views", "middleware": "views"}
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}

HEAVY = {"torch", "transformers", "accelerate"}
HEAVY_ALLOWED = ("scoring.prm.engine", "scoring.train")  # these and the modules under them


@dataclass(frozen=True)
class Import:
    """One imported module, as written, resolved to the deepest module of ours it names."""

    by: str
    of: str
    line: int
    when_run: bool  # inside a function

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.of}"


def our_sources(root: Path = ROOT) -> dict[str, str]:
    """Module name -> source, for every module of the apps and the frame; migrations are Django's."""
    found = {}
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if "migrations" not in parts:
                name = ".".join(parts)
                found[name.removesuffix(".__init__")] = path.read_text()
    return found


def problems(sources: Mapping[str, str]) -> list[str]:
    """Every broken rule, as a sentence. Packages are named without `.__init__`."""
    imports = [one for name, text in sources.items() for one in imports_of(name, text, sources)]
    return [
        *(p for one in imports for p in import_problems(one)),
        *homeless(sources),
        *foreign_models(sources),
        *cycles(imports),
    ]


def imports_of(module: str, text: str, known: Iterable[str]) -> Iterator[Import]:
    """All imports of a source, those inside functions and those for type checkers included."""
    modules = set(known)
    is_package = any(other.startswith(f"{module}.") for other in modules)
    tree = ast.parse(text)
    inside = {id(node) for scope in functions(tree) for node in ast.walk(scope)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, module, is_package)
            full = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in modules else base for name in full]
        else:
            continue
        for name in dict.fromkeys(names):
            yield Import(module, name, node.lineno, id(node) in inside)


def functions(tree: ast.AST) -> list[ast.AST]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def import_problems(one: Import) -> Iterator[str]:
    for rule in (app_rule, pure_rule, floor_rule, heavy_rule):
        sentence = rule(one)
        if sentence:
            yield f"{one}: {sentence}"


def app_rule(one: Import) -> str | None:
    app, other = head(one.by), head(one.of)
    if other == "tests":
        return "code does not know its tests"
    if other not in APPS or other == app or other in APPS[app]:
        return None
    return f"{app} does not know {other}"


def pure_rule(one: Import) -> str | None:
    if not within(one.by, PURE):
        return None
    if head(one.of) in FRAMEWORKS:
        return "this folder is plain Python"
    if head(one.of) in APPS and not within(one.of, PURE_MAY_USE):
        return "plain Python uses only plain Python of ours"
    return None


def floor_rule(one: Import) -> str | None:
    if head(one.by) != "annotator" or head(one.of) != "annotator":
        return None
    name, other = unit(one.by), unit(one.of)
    if name == other or name not in FLOOR_OF or other not in FLOOR_OF:
        return None
    return None if FLOOR_OF[other] < FLOOR_OF[name] else f"{other} is not below {name}"


def heavy_rule(one: Import) -> str | None:
    if head(one.of) not in HEAVY:
        return None
    if not within(one.by, HEAVY_ALLOWED):
        return f"only {' and '.join(sorted(HEAVY_ALLOWED))} may"
    return None if one.when_run else "only when it runs, inside a function"


def homeless(sources: Iterable[str]) -> Iterator[str]:
    for module in sources:
        if head(module) == "annotator" and unit(module) and unit(module) not in FLOOR_OF:
            yield f"{module} stands on no floor: give it one in tests/arrows.py"


def foreign_models(sources: Mapping[str, str]) -> Iterator[str]:
    """Only annotator owns tables: elsewhere no models module, and no class made of a Django model."""
    for module, text in sources.items():
        if head(module) == "annotator":
            continue
        if "models" in module.split("."):
            yield f"{module}: only annotator has models"
        for node in ast.walk(ast.parse(text)):
            bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            if "models.Model" in bases or "Model" in bases:
                yield f"{module}:{node.lineno} defines a model: only annotator has models"


def cycles(imports: Iterable[Import]) -> list[str]:
    """Each group of modules that import each other in a circle, whenever they do it."""
    graph: dict[str, set[str]] = {}
    for one in imports:
        if head(one.of) in APPS and one.of != one.by:
            graph.setdefault(one.by, set()).add(one.of)
    reach = {module: reachable(graph, module) for module in graph}
    rings = {
        frozenset(other for other in reach[module] if module in reach.get(other, ()))
        for module in graph
        if module in reach[module]
    }
    return [f"A circle of imports: {', '.join(sorted(ring))}" for ring in sorted(rings, key=sorted)]


def reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = list(graph.get(start, ()))
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead.extend(graph.get(module, ()))
    return seen


def head(module: str) -> str:
    return module.split(".")[0]


def unit(module: str) -> str:
    """The part of annotator a module belongs to: "core" for annotator.core.labels, "" for annotator."""
    name = module.split(".")[1] if "." in module else ""
    return ROOM.get(name, name)


def within(module: str, folders: Iterable[str]) -> bool:
    return any(module == folder or module.startswith(f"{folder}.") for folder in folders)
