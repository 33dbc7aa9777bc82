"""The members of a release's own records, in order, with their types: what cards say of them. Pure."""

from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """The type of a value; the names are those of the `datasets` library."""

    TEXT = "string"
    BOOLEAN = "bool"
    INTEGER = "int32"
    FLOAT = "float64"


class Column(NamedTuple):
    """A member of the records. `depth`: 1 for a list of values, 2 for a list of lists. `members`: of the objects
    in its list."""

    name: str
    kind: Kind
    description: str
    depth: int = 0
    members: Sequence["Column"] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is one value, or a list of them."""
        return self.depth < 2 and not self.members


TEXT, BOOLEAN, INTEGER, FLOAT = Kind
_TYPES = "For each step: codes of its error types."
PERSON: Final = (
    Column("rater", TEXT, "A name that is of this release alone."),
    Column("labels", TEXT, "A label for each step.", 1),
    Column("error_types", TEXT, _TYPES, 2),
    Column("finish_reason", TEXT, "Why the review ended where it did."),
    Column("verdict", TEXT, "Answers to other questions, as JSON, empty for none."),
    Column("phase", TEXT, "blind, or revealed: after machines were shown."),
    Column("guideline", INTEGER, "The version of the guidelines."),
    Column("blind_shows", TEXT, "What was seen while blind."),
    Column("labels_first", BOOLEAN, "Whether the labels were given before machines were shown."),
)
MACHINE: Final = (
    Column("rater", TEXT, "KIND:NAME."),
    Column("spec", TEXT, "Digest of its model, prompt and settings."),
    Column("labels", TEXT, "A label for each step.", 1),
    Column("scores", FLOAT, "A number for each step.", 1),
    Column("redundancy_labels", TEXT, "For each step: - redundant, + not.", 1),
    Column("error_types", TEXT, _TYPES, 2),
)
COLUMNS: Final = (
    Column("id", TEXT, "Where it came from: the id there."),
    Column("digest", TEXT, "sha256 of the problem and the steps."),
    Column("split", TEXT, "The part it is in."),
    Column("group", TEXT, "The problem group; all versions of one problem are in one part."),
    Column("kind", TEXT, "The kind of the injected error, empty for none."),
    Column("protocol", TEXT, "What reviewers were asked, empty for none."),
    Column("problem", TEXT, "The question that the steps answer."),
    Column("answer", TEXT, "The reference answer, if known."),
    Column("original_problem", TEXT, "The question before it was changed, if it was."),
    Column("original_steps", TEXT, "The steps before they were changed, if they were.", 1),
    Column("steps", TEXT, "The texts of the steps.", 1),
    Column("labels", TEXT, "For each step: + right, 0 neutral, - wrong, ? unsure, . not judged.", 1),
    Column("labels_from", TEXT, "Whose labels: gold, or KIND:NAME of a rater."),
    Column("decision", TEXT, "What the reviews amount to: agreed, settled, conflicted, incomplete."),
    Column("error_types", TEXT, _TYPES, 2),
    Column("has_error", BOOLEAN, "Whether a step is wrong; missing where that is not known."),
    Column("first_error", INTEGER, "The 0-based position of the first wrong step, if there is one."),
    Column(
        "verified", BOOLEAN, "For each step: whether a person gave it this label by an act of its own.", 1
    ),
    Column("steps_verified", BOOLEAN, "Whether that holds for all steps up to the last judged one."),
    Column("solution_verified", BOOLEAN, "Whether a person said of the solution as a whole if it is right."),
    Column("raters", TEXT, "What people said: their names are of this release alone.", 1, PERSON),
    Column("n_raters", INTEGER, "How many people labelled it."),
    Column("agreement", FLOAT, "Share of pairs of people with the same label, over steps that both judged."),
    Column("guidelines", INTEGER, "Versions of the guidelines that they worked by.", 1),
    Column("machine_labels", TEXT, "What machines said, and labels that came with the data.", 1, MACHINE),
    Column("findings", TEXT, "Codes of what checks found.", 1),
    Column("format", TEXT, "The format it came in."),
    Column("problem_meta", TEXT, "What else is known of the problem, as JSON."),
    Column("solution_meta", TEXT, "What else is known of the solution, as JSON."),
)
