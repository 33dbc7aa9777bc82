"""What the agreement page shows: the report's numbers as tables, matrices, curves and advice."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from annotator import errors, reports
from annotator.core.columns import VALUES
from annotator.models import BlindShows, Project
from annotator.views import charts, words
from annotator.views.item_filters import NO_KIND

Sides = dict[str, Any]

HEAT = (
    0.2,
    0.4,
    0.6,
    0.8,
)  # bounds of Landis and Koch's words: slight, fair, moderate, substantial, almost perfect
ENOUGH, TENTATIVE = 0.8, 0.667  # Krippendorff's: for conclusions, and for tentative ones
FEW = 30  # solutions seen by two
META = "meta:"
SLICES = {
    "kind": ("kinds", "kind of error"),
    "guideline": ("guidelines", "guideline version"),
    "week": ("weeks", "week"),
    "shows": ("blind_shows", "what blind reviewers saw"),
}


class Row(NamedTuple):
    """A part of the project; query: what asks the items page for its items, "" where nothing does."""

    title: str
    sides: Sides
    query: str


class Slice(NamedTuple):
    """by: its code in the address; first: the heading of the first column."""

    by: str
    first: str
    rows: list[Row]


def context(project: Project, by: str = "kind") -> dict[str, Any]:
    """by: kind, guideline, week, shows or meta:KEY. Raises Invalid for another."""
    found = reports.current(project).data
    kinds = _kinds(found, project)
    return {
        "project": project,
        "found": found,
        "machines": ", ".join(found["machines"]),
        "settings": [(setting(code), sides) for code, sides in found["blind_shows"].items()],
        "advice": advice(found, kinds),
        "choices": choices(found),
        "slice": chosen(project, found, by, kinds),
        "heat": heat(found),
        "confusions": confusions(found),
        "positions": positions(found),
        "history": history(found),
        "position_rows": [(place_title(one), one) for one in found["positions"]],
    }


def setting(code: str) -> str:
    return BlindShows(code).label if code in BlindShows.values else "not recorded"


def choices(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    keys = [(META + key, f"meta: {key}") for key in found["meta_keys"]]
    return [(by, title) for by, (_, title) in SLICES.items()] + keys


def chosen(project: Project, found: Mapping[str, Any], by: str, kinds: list[Row]) -> Slice:
    titles = dict(choices(found))
    if by not in titles:
        raise errors.Invalid("There is no such slice of the report.", field="by")
    title = titles[by]
    if by == "kind":
        return Slice(by, title, kinds)
    if by.startswith(META):
        parts = reports.current_by_meta(project, by.removeprefix(META))
        return Slice(by, title, [Row(value or "none", sides, "") for value, sides in parts.items()])
    return Slice(by, title, [Row(_title(by, code), s, "") for code, s in found[SLICES[by][0]].items()])


def _title(by: str, code: str) -> str:
    if by == "shows":
        return setting(code)
    if by == "guideline":
        return f"version {int(code)}" if code else "none"
    return f"from {code}"


def _kinds(found: Mapping[str, Any], project: Project) -> list[Row]:
    """Worst first, as people agree with each other; what is undefined last."""
    rows = [
        Row(words.kind_title(code, project.error_types), sides, code or NO_KIND)
        for code, sides in found["kinds"].items()
    ]
    return sorted(rows, key=lambda row: _badness(row.sides))


def _badness(sides: Sides) -> tuple[bool, float, float]:
    alpha, kappa = sides["people"]["alpha"]["value"], sides["injector"]["kappa"]["value"]
    return alpha is None, 0 if alpha is None else alpha, 1 if kappa is None else kappa


def advice(found: Mapping[str, Any], kinds: Sequence[Row]) -> list[tuple[str, str]]:
    """What to do: (sentence, the kind whose disagreements to read first, "" for none)."""
    people, said = found["people"], []
    alpha, percent = people["alpha"]["value"], people["percent"]["value"]
    if people["n_solutions"] < FEW:
        said.append(
            (
                f"Only {people['n_solutions']} solutions were seen by two: let more items have two reviewers.",
                "",
            )
        )
    if alpha is not None and alpha < TENTATIVE:
        worst = kinds[0] if kinds and kinds[0].sides["people"]["n_disagreeing"] else None
        said.append((_low(worst), worst.query if worst else ""))
    elif alpha is not None and alpha < ENOUGH:
        said.append((f"Enough for tentative conclusions; {ENOUGH} is what Krippendorff asks for.", ""))
    if alpha is not None and percent > 0.9 and alpha < TENTATIVE:
        said.append(
            ("Nearly all labels are the same, and α is low: wrong steps are rare. AC1 minds this less.", "")
        )
    exact, near = people["first_error"]["value"], people["first_error_near"]["value"]
    if exact is not None and near - exact > 0.1:
        said.append(
            ("Many first errors are one step apart: say in the guidelines where an error begins.", "")
        )
    return said


def _low(worst: Row | None) -> str:
    begin = f"Below {TENTATIVE} the labels of one person alone are not to be relied on."
    if not worst:
        return begin
    return (
        f"{begin} Read what people disagree on where it is worst ({worst.title}), and sharpen the guidelines."
    )


class Cell(NamedTuple):
    """One rater beside another; `level` 0..4 of its colour, None where there is no kappa."""

    pair: Sides | None
    level: int | None
    is_self: bool = False

    @property
    def percent(self) -> float | None:
        share = self.pair["percent"]["value"] if self.pair else None
        return None if share is None else 100 * share

    @property
    def words(self) -> str:
        return f"κ {charts.in_words(self.pair['kappa'])}" if self.pair else ""


class HeatRow(NamedTuple):
    rater: str
    cells: list[Cell]


def heat(found: Mapping[str, Any]) -> list[HeatRow]:
    """Every rater beside every rater, people first."""
    pairs = {frozenset(pair["raters"]): pair for pair in (*found["pairs"], *found["machine_pairs"])}
    people = [row["rater"] for row in found["reviewers"]]
    machines = sorted({name for pair in found["machine_pairs"] for name in pair["raters"]} - set(people))
    everybody = people + machines
    return [HeatRow(a, [_cell(pairs.get(frozenset((a, b))), a == b) for b in everybody]) for a in everybody]


def _cell(pair: Sides | None, is_self: bool = False) -> Cell:
    kappa = pair["kappa"]["value"] if pair else None
    return Cell(pair, None if kappa is None else sum(kappa >= bound for bound in HEAT), is_self)


class Confusion(NamedTuple):
    """rows: (mark, [(n, percent of the row, level 0..4)])."""

    title: str
    row: str
    column: str
    marks: list[words.Mark]
    rows: list[tuple[words.Mark, list[tuple[int, float | None, int | None]]]]


def confusions(found: Mapping[str, Any]) -> list[Confusion]:
    both = [
        _confusion("People with each other", "one says", "the other says", found["people"]["confusion"]),
        _confusion(
            "People with the injector", "people say", "the injector says", found["injector"]["confusion"]
        ),
    ]
    return [one for one in both if one.rows]


def _confusion(title: str, row: str, column: str, table: list[list[int]]) -> Confusion:
    used = [n for n in (2, 1, 0) if any(table[n]) or any(line[n] for line in table)]
    marks = [words.MARKS[VALUES[n]] for n in used]
    rows = [
        (mark, [_share(table[a][b], sum(table[a])) for b in used])
        for mark, a in zip(marks, used, strict=True)
    ]
    return Confusion(title, row, column, marks, rows)


def _share(n: int, of: int) -> tuple[int, float | None, int | None]:
    return (n, 100 * n / of, sum(n / of >= bound for bound in HEAT)) if of else (n, None, None)


def place_title(place: Mapping[str, Any]) -> str:
    first, last = place["from"], place["to"]
    return f"{first}+" if last is None else str(first) if first == last else f"{first}–{last}"


def positions(found: Mapping[str, Any]) -> charts.Chart:
    places = found["positions"]
    return charts.curves(
        "Same label by step",
        [place_title(place) for place in places],
        {
            "people with each other": [place["people"]["percent"] for place in places],
            "people with the injector": [place["injector"]["percent"] for place in places],
        },
        scale=100,
    )


def history(found: Mapping[str, Any]) -> charts.Chart:
    weeks = found["weeks"]
    return charts.curves(
        "Agreement by week",
        [week[5:] for week in weeks],
        {
            "α of people": [sides["people"]["alpha"] for sides in weeks.values()],
            "κ with the injector": [sides["injector"]["kappa"] for sides in weeks.values()],
        },
    )
