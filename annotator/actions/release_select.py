"""Which solutions a release holds, whose labels, and why the others stay out.

Solutions come in an order made of their content alone (by foreign id, the number after its last slash as a
number, then by content; siblings after their main one), so that the same data give the same release whatever
order they came in. Read in chunks: memory grows by a few words a solution.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotator.actions import export_rows
from annotator.actions.import_rows import SIBLING_OF
from annotator.core import verified
from annotator.core.release_rule import ALL, GOLD, VERIFIED, Rule
from annotator.models import (
    Annotation,
    AssignmentState,
    Decision,
    Finding,
    FinishReason,
    Item,
    Phase,
    Project,
    RaterKind,
    Solution,
    Use,
)

CHUNK = 500
NUMBERED = re.compile(r"(.*)/([0-9]{1,18})", re.DOTALL)
KEPT_FOR_EXAM = (Use.DEMONSTRATION, Use.EXAM)
FIRST = [Decision.SETTLED, Decision.AGREED, Decision.CONFLICTED, Decision.INCOMPLETE]
UNDECIDED = {
    "": "not in review",
    Decision.INCOMPLETE: "not decided yet",
    Decision.CONFLICTED: "in conflict",
    Decision.AGREED: "no judgement: the reviewers agree that there is none to make",
    Decision.SETTLED: "no judgement: settled without labels",
}
# What counting needs; a release needs all but alignments, which are long.
COUNTED = (
    "foreign_id", "foreign_format", "meta", "n_steps", "problem__group", "problem__taken_down_at",
    "problem__parent__taken_down_at", "injection__error_type",
)  # fmt: skip
COUNTED_WORDS = (
    "solution_id", "rater_id", "phase", "labels", "n_steps", "bulk", "is_parsed", "finish_reason", "assignment_id",
)  # fmt: skip
COUNTED_ITEM = (
    "solution_id", "protocol", "error_type", "decision", "use", "gold_id",
    *(f"gold__{name}" for name in COUNTED_WORDS),
)  # fmt: skip


class Candidate(NamedTuple):
    """A solution that a release may hold. `why` it stays out, or "". `chosen` is whose labels it goes out
    with; `people` the last words of its reviewers, `machines` those of all others; `human` says of each step
    whether a person gave it the released label."""

    solution: Solution
    item: Item | None
    kind: str
    why: str
    chosen: Annotation | None = None
    people: Sequence[Annotation] = ()
    machines: Sequence[Annotation] = ()
    human: Sequence[bool] = ()
    findings: Sequence[str] = ()


def walk(
    project: Project, rule: Rule, under_bar: Iterable[str], *, light: bool = False
) -> Iterator[Candidate]:
    """Every solution of the project in its order. light: without texts, for counting."""
    reader = _Reader(project, rule, frozenset(under_bar), light)
    ids = ordered(project)
    for start in range(0, len(ids), CHUNK):
        yield from reader.read(ids[start : start + CHUNK])


def ordered(project: Project) -> list[int]:
    """Ids of what may be released, in the order of a release. Sorted here: databases disagree about text."""
    found = _universe(project).order_by()
    rows = found.values_list("foreign_id", "key", f"meta__{SIBLING_OF}", "pk").iterator(5000)
    places = [
        (_numbered(main), True, "", pk) if main else (_numbered(foreign_id), False, key, pk)
        for foreign_id, key, main, pk in rows
    ]
    places.sort()  # siblings of one record came in one after the other, so their ids say their order
    return [pk for *_, pk in places]


def _numbered(foreign_id: str) -> tuple[str, int, str]:
    """An id as it is ordered: SET/10 comes after SET/9, and nothing comes between the members of a set."""
    found = NUMBERED.fullmatch(foreign_id)
    return (found[1], int(found[2]), foreign_id) if found else (foreign_id, -1, foreign_id)


def _universe(project: Project) -> QuerySet[Solution]:
    """What came in as a record, and what else is in review."""
    queued = Exists(Item.objects.filter(solution=OuterRef("pk")))
    return export_rows.finished_solutions(project).filter(~Q(foreign_format="") | queued)


class _Reader:
    """Reads chunks. What it remembers from one to the next: raters, and which main solutions are retired."""

    def __init__(self, project: Project, rule: Rule, under_bar: frozenset[str], light: bool) -> None:
        self._project, self._rule, self._under_bar, self._light = project, rule, under_bar, light
        self._raters = export_rows.Raters()
        self._retired_mains: set[str] = set()

    def read(self, ids: list[int]) -> Iterator[Candidate]:
        solutions = self._solutions(ids)
        items, words, findings = self._items(ids), self._words(ids), self._findings(ids)
        retired = set() if self._rule.include_retired else export_rows.retired_among(ids)
        for pk in ids:
            solution, item = solutions[pk], items.get(pk)
            everybody = words.get(pk, [])
            people, machines = _parted(everybody, self._rule.raters)
            kind = _kind(solution, item)
            found = Candidate(solution, item, kind, "", None, people, machines, (), findings.get(pk, ()))
            gone = self._gone(solution, pk in retired)
            yield found._replace(why=gone) if gone else self._judged(found, everybody)

    def _solutions(self, ids: list[int]) -> dict[int, Solution]:
        rows = Solution.objects.select_related("problem__parent", "injection")
        if self._light:
            return rows.only(*COUNTED).in_bulk(ids)
        return rows.select_related("parent").defer("injection__alignment").in_bulk(ids)

    def _items(self, ids: list[int]) -> dict[int, Item]:
        """Of the items of a solution the one whose decision says most, those of the rule's protocols first."""
        rows = Item.objects.filter(solution__in=ids).select_related("gold").order_by("protocol")
        rows = rows.only(*COUNTED_ITEM) if self._light else rows
        found: dict[int, Item] = {}
        for item in rows:
            before = found.get(item.solution_id)
            if before is None or self._rank(item) < self._rank(before):
                found[item.solution_id] = item
        self._raters.know([item.gold for item in found.values() if item.gold])
        return found

    def _rank(self, item: Item) -> tuple[bool, bool, int]:
        wanted = not self._rule.protocols or item.protocol in self._rule.protocols
        return not wanted, item.gold_id is None, FIRST.index(Decision(item.decision))

    def _words(self, ids: list[int]) -> dict[int, list[Annotation]]:
        """Solution -> everybody's last words. Probes and exams are no reviewer's labels."""
        done = Q(
            assignment__state=AssignmentState.SUBMITTED, assignment__surplus=False,
            assignment__purpose=Use.WORK, phase__in=[Phase.BLIND, Phase.REVEALED],
        )  # fmt: skip
        rows = Annotation.objects.filter(done | Q(phase=Phase.MACHINE), solution__in=ids, superseded_at=None)
        rows = export_rows.in_full(self._project, rows)
        told = rows.select_related("guideline").defer("guideline__text")
        found = list((rows.only(*COUNTED_WORDS) if self._light else told).order_by("id"))
        self._raters.know(found)
        last: defaultdict[int, dict[int, Annotation]] = defaultdict(dict)
        for row in found:
            before = last[row.solution_id].get(row.rater_id)
            if before is None or export_rows.rank(row) > export_rows.rank(before):
                last[row.solution_id][row.rater_id] = row
        return {pk: list(words.values()) for pk, words in last.items()}

    def _findings(self, ids: list[int]) -> dict[int, list[str]]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        rows = Finding.objects.filter(solution__in=ids).order_by("solution", "code")
        for pk, code in rows.values_list("solution", "code").distinct():
            found[pk].append(code)
        return found

    def _gone(self, solution: Solution, is_retired: bool) -> str:
        if export_rows.is_taken_down(solution.problem):
            return export_rows.TAKEN_DOWN
        main = solution.meta.get(SIBLING_OF)
        if is_retired and not main:
            self._retired_mains.add(solution.foreign_id)
        return export_rows.RETIRED if is_retired or main in self._retired_mains else ""

    def _judged(self, found: Candidate, everybody: Sequence[Annotation]) -> Candidate:
        """With whose labels it goes out, or why it does not."""
        why = self._unwanted(found)
        if why:
            return found._replace(why=why)
        chosen = self._chosen(found, everybody)
        if chosen is None:
            return found._replace(why=self._without(found.item))
        if not chosen.is_parsed:
            return found._replace(why="the reply could not be read")
        if chosen.finish_reason and not FinishReason(chosen.finish_reason).judges:
            return found._replace(why=f"no judgement: {FinishReason(chosen.finish_reason).label}")
        human = _human(chosen, everybody)
        is_short = self._rule.which == VERIFIED and not verified.is_whole(chosen.labels, human)
        why = "a step that no person acted on" if is_short else ""
        return found._replace(chosen=chosen, human=human, why=why)

    def _unwanted(self, found: Candidate) -> str:
        rule, item = self._rule, found.item
        if item and item.use in KEPT_FOR_EXAM:
            return "kept for the exam"
        if rule.kinds and found.kind not in rule.kinds:
            return "of another error type"
        if rule.protocols and (item is None or item.protocol not in rule.protocols):
            return "of another protocol"
        if found.kind in self._under_bar:
            return f"{found.kind} is under the project's bar"
        dropped = next((code for code in found.findings if code in rule.drop_findings), None)
        if dropped:
            return f"has the finding {dropped}"
        if len(found.people) < rule.min_raters:
            return f"fewer than {rule.min_raters} reviewers"
        return ""

    def _chosen(self, found: Candidate, everybody: Sequence[Annotation]) -> Annotation | None:
        gold = found.item.gold if found.item else None
        if self._rule.which in (GOLD, VERIFIED):
            return gold
        if self._rule.which == ALL:
            return gold or _came_with(found.solution, everybody)
        named = [one for one in everybody if str(one.rater) == self._rule.which]
        return max(named, key=lambda one: one.pk) if named else None

    def _without(self, item: Item | None) -> str:
        if self._rule.which in (GOLD, VERIFIED):
            return UNDECIDED[item.decision if item else ""]
        return "without labels" if self._rule.which == ALL else "not labelled by the rater"


def _parted(words: Iterable[Annotation], raters: Sequence[str]) -> tuple[list[Annotation], list[Annotation]]:
    """Those of people and those of machines, of the raters that the rule names or all."""
    people: list[Annotation] = []
    machines: list[Annotation] = []
    for word in words:
        if not raters or str(word.rater) in raters:
            (people if word.rater.kind == RaterKind.REVIEWER else machines).append(word)
    return people, machines


def _kind(solution: Solution, item: Item | None) -> str:
    injection = getattr(solution, "injection", None)
    return injection.error_type if injection else item.error_type if item else ""


def _came_with(solution: Solution, words: Iterable[Annotation]) -> Annotation | None:
    made_with_it = (one for one in words if one.rater.kind in export_rows.MADE_WITH_IT)
    return next((one for one in made_with_it if one.rater.name == solution.foreign_format), None)


def _human(chosen: Annotation, words: Iterable[Annotation]) -> list[bool]:
    """Of each step, whether a person gave it the label that goes out."""
    people = {one.pk: one for one in (*words, chosen) if one.rater.kind == RaterKind.REVIEWER}
    return verified.verified(chosen.labels, [(one.labels, one.bulk) for one in people.values()])
