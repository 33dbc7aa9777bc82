"""Shapes of the API's requests and answers, and their OpenAPI description. No rules: actions hold those."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotator.actions.adjudicate import CAUSES
from annotator.core import kinds
from annotator.core import labels as lab
from annotator.core.findings import explained
from annotator.core.judgement import FINISH_REASONS
from annotator.formats import WRITABLE, choices
from annotator.models import Annotation, Assignment, Export, Finding, Item, Membership, Run


class LabelsField(serializers.ListField):
    """Labels are stored as text, one character a step, and shown as a list."""

    child = serializers.ChoiceField(sorted(lab.LABELS))

    def to_representation(self, data: Any) -> list[Any]:
        return list(data)


class ErrorTypeSerializer(serializers.Serializer[object]):
    code = serializers.CharField()
    title = serializers.CharField()
    definition = serializers.CharField()


class ProjectSerializer(serializers.ModelSerializer[Membership]):
    slug = serializers.CharField(source="project.slug")
    name = serializers.CharField(source="project.name")
    protocol = serializers.CharField(source="project.protocol")
    label_after_error = serializers.BooleanField(
        source="project.label_after_error", help_text="False: label_steps stops at the first wrong step."
    )
    error_types = serializers.SerializerMethodField(help_text="What a judgement may name, in order.")

    class Meta:
        model = Membership
        fields = ("slug", "name", "protocol", "role", "n_submitted", "label_after_error", "error_types")

    @extend_schema_field(ErrorTypeSerializer(many=True))
    def get_error_types(self, row: Membership) -> Any:
        return ErrorTypeSerializer(kinds.error_types(row.project.error_types), many=True).data


class JudgementSerializer(serializers.Serializer[object]):
    """A judgement as core.judgement reads it; positions are 0-based, as text keys in JSON."""

    labels = LabelsField(
        required=False, help_text="One a step: + 0 - ? or . (not judged); a text will do too."
    )
    error_types = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False,
        help_text="Step to codes of the project's error types.",
    )  # fmt: skip
    edit = serializers.DictField(child=serializers.CharField(trim_whitespace=False), required=False)
    insert = serializers.DictField(child=serializers.CharField(trim_whitespace=False), required=False)
    delete = serializers.ListField(child=serializers.IntegerField(), required=False)
    note = serializers.CharField(required=False, allow_blank=True)
    finish_reason = serializers.ChoiceField(FINISH_REASONS, required=False, allow_blank=True)
    verdict = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    duration_ms = serializers.IntegerField(required=False)
    bulk = serializers.ListField(
        child=serializers.IntegerField(), required=False,
        help_text="Steps that one act labelled together with others, and no act since.",
    )  # fmt: skip
    alternatives = serializers.DictField(
        child=serializers.CharField(), required=False,
        help_text="Id of an alternative, as the assignment lists them, to its label: + 0 - or ? Optional.",
    )  # fmt: skip


class DraftSerializer(serializers.Serializer[object]):
    version = serializers.IntegerField(min_value=0, help_text="The version this draft was made from.")
    draft = JudgementSerializer()


class SubmitSerializer(JudgementSerializer):
    claim_next = serializers.BooleanField(required=False, default=False)


class SkipSerializer(serializers.Serializer[object]):
    reason = serializers.CharField(max_length=2000)


class OriginalSerializer(serializers.Serializer[object]):
    steps = serializers.ListField(child=serializers.CharField(), source="solution.steps")
    question = serializers.CharField(source="solution.problem.text")
    alignment = serializers.ListField(help_text="[op, old position, new position], 0-based, null where none.")


class AlternativeSerializer(serializers.Serializer[object]):
    """Another way to go on instead of the step at `position`."""

    id = serializers.IntegerField()
    position = serializers.IntegerField(help_text="0-based.")
    text = serializers.CharField()


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    """What its reviewer may see now; `original` is null where there is none or it is hidden while blind."""

    item = serializers.IntegerField(
        source="item_id", allow_null=True, help_text="Null where probes are given: its number could tell."
    )
    protocol = serializers.CharField(source="item.protocol")
    problem = serializers.CharField(source="item.solution.problem.text")
    answer = serializers.CharField(source="item.solution.problem.answer", allow_null=True)
    steps = serializers.ListField(child=serializers.CharField(), source="item.solution.steps")
    digest = serializers.CharField(source="item.solution.digest")
    original = OriginalSerializer(allow_null=True)
    alternatives = AlternativeSerializer(many=True, help_text="Only where label_steps has some.")
    version = serializers.IntegerField(source="draft_version")
    draft = JudgementSerializer(help_text="Empty until something was saved.")

    class Meta:
        model = Assignment
        fields = (
            "id", "item", "state", "protocol", "problem", "answer", "steps", "digest", "original",
            "alternatives", "draft", "version", "lease_until", "surplus",
        )  # fmt: skip


class StateSerializer(serializers.ModelSerializer[Assignment]):
    version = serializers.IntegerField(source="draft_version")

    class Meta:
        model = Assignment
        fields = ("id", "state", "version", "surplus")


class SubmittedSerializer(StateSerializer):
    next = serializers.IntegerField(allow_null=True, help_text="The assignment claimed next, if asked for.")

    class Meta(StateSerializer.Meta):
        fields = ("id", "state", "version", "surplus", "next")  # type: ignore[assignment]


class MachineLabelsSerializer(serializers.Serializer[object]):
    rater = serializers.CharField(
        source="name",
        help_text="KIND:NAME; a letter where labels are verified and you have not submitted yet.",
    )
    labels = LabelsField(source="annotation.labels")
    scores = serializers.JSONField(source="annotation.scores", help_text="One a step, or null.")
    redundancy_labels = serializers.ListField(
        child=serializers.CharField(), source="annotation.redundancy_labels",
        help_text="A second axis: - redundant, + not. Empty: not said.",
    )  # fmt: skip


class InjectionSerializer(serializers.Serializer[object]):
    error_type = serializers.CharField()
    reason = serializers.CharField()
    claimed_changed = serializers.ListField(help_text="Verbatim: 1-based as the injector wrote it.")
    claimed_wrong = serializers.ListField(help_text="Verbatim: 1-based as the injector wrote it.")
    rater = serializers.CharField()


class FindingSerializer(serializers.Serializer[object]):
    """Something a check found; `title` and `advice` are those of its code."""

    code = serializers.CharField()
    position = serializers.IntegerField(
        allow_null=True, help_text="Of a step, 0-based; null: of the record as a whole."
    )
    detail = serializers.CharField(help_text="Step numbers in it count from 1.")
    title = serializers.SerializerMethodField()
    advice = serializers.SerializerMethodField()

    def get_title(self, finding: Finding) -> str:
        return explained(finding.code).title

    def get_advice(self, finding: Finding) -> str:
        return explained(finding.code).advice


class RevealSerializer(serializers.Serializer[object]):
    injection = InjectionSerializer(allow_null=True)
    annotations = MachineLabelsSerializer(many=True, source="sources")
    findings = FindingSerializer(many=True)


class ItemSerializer(serializers.ModelSerializer[Item]):
    class Meta:
        model = Item
        fields = (
            "id", "protocol", "error_type", "wanted", "open_slots", "priority", "held", "decision", "n_submitted",
        )  # fmt: skip


class AnnotationSerializer(serializers.Serializer[object]):
    rater = serializers.CharField()
    phase = serializers.CharField()
    labels = LabelsField()
    error_types = serializers.JSONField(allow_null=True)
    bulk = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="Steps labelled together, 0-based."
    )
    verdict = serializers.JSONField(allow_null=True)
    finish_reason = serializers.CharField()
    note = serializers.CharField()
    guideline = serializers.IntegerField(
        source="guideline.version", default=None, allow_null=True, help_text="The version of the guidelines."
    )
    blind_shows = serializers.CharField(
        help_text="What a blind reviewer of an injection saw: diff or solution."
    )
    labels_first = serializers.BooleanField(help_text="False: machines were shown from the beginning.")
    duration_ms = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class AdjudicationSerializer(serializers.Serializer[object]):
    """A lead's decision on an item whose reviewers differed."""

    rater = serializers.CharField()
    labels = LabelsField()
    error_types = serializers.JSONField(allow_null=True)
    cause = serializers.ChoiceField(list(CAUSES), source="verdict.cause")
    reason = serializers.CharField(source="note")
    own_label = serializers.SerializerMethodField(help_text="The lead had judged the item too.")
    created_at = serializers.DateTimeField()

    def get_own_label(self, made: Annotation) -> bool:
        return bool((made.verdict or {}).get("own_label"))


class NewAdjudicationSerializer(serializers.Serializer[object]):
    labels = LabelsField(
        help_text="One a step: + 0 - ?; after the first wrong step also . where it stops there."
    )
    error_types = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False,
        help_text="Step, 0-based, to codes of the project's error types.",
    )  # fmt: skip
    bulk = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        help_text="Steps that no act of your own labelled, 0-based.",
    )
    cause = serializers.ChoiceField(list(CAUSES), help_text="broken_problem leaves the item without gold.")
    reason = serializers.CharField(help_text="The reviewers read it.")
    seen = serializers.CharField(help_text="`seen` of the item as you read it: 409 if something came since.")


class ReopenDecisionSerializer(serializers.Serializer[object]):
    because = serializers.CharField()


class ItemDetailSerializer(ItemSerializer):
    problem = serializers.CharField(source="solution.problem.text")
    steps = serializers.ListField(child=serializers.CharField(), source="solution.steps")
    digest = serializers.CharField(source="solution.digest")
    annotations = AnnotationSerializer(many=True)
    findings = FindingSerializer(many=True)
    adjudication = AdjudicationSerializer(allow_null=True)
    seen = serializers.CharField(
        help_text="Send it when you settle the item: it changes with every submission."
    )

    class Meta(ItemSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *ItemSerializer.Meta.fields, "problem", "steps", "digest", "annotations", "findings",
            "adjudication", "seen",
        )  # fmt: skip


class ItemPageSerializer(serializers.Serializer[object]):
    items = ItemSerializer(many=True)
    next_after = serializers.IntegerField(allow_null=True, help_text="Send as `after` for the next page.")


class ExportSerializer(serializers.ModelSerializer[Export]):
    class Meta:
        model = Export
        fields = (
            "id", "format", "which", "min_raters", "options", "state", "n_done", "n_total", "n_bytes",
            "sha256", "error",
        )  # fmt: skip


class NewExportSerializer(serializers.Serializer[object]):
    format = serializers.ChoiceField(WRITABLE)
    which = serializers.CharField(
        default="gold", help_text="gold, all, KIND:NAME of a rater, or solutions (best_of_n only)."
    )
    min_raters = serializers.IntegerField(default=1, min_value=1)
    neutral = serializers.ChoiceField(choices.NEUTRALS, required=False)
    redundant = serializers.ChoiceField(choices.REDUNDANTS, required=False)
    after_first_error = serializers.ChoiceField(choices.AFTERS, required=False)
    threshold = serializers.FloatField(
        required=False, help_text="A score above this is right; without it stored labels stand."
    )
    retired = serializers.BooleanField(
        required=False, help_text="Solutions whose items are retired go out too."
    )


class RunSerializer(serializers.ModelSerializer[Run]):
    """Sums are of what is stored; `because` says why it is paused."""

    rater = serializers.CharField(allow_null=True, help_text="KIND:NAME of who writes its labels.")
    params = serializers.JSONField(help_text="What it was asked for, with its defaults.")

    class Meta:
        model = Run
        fields = (
            "id", "method", "rater", "state", "because", "params", "budget", "n_units", "n_done", "n_failed",
            "n_calls", "prompt_tokens", "completion_tokens", "cost", "created_at", "finished_at",
        )  # fmt: skip


class OutcomeSerializer(serializers.Serializer[object]):
    """How many units of a kind ended so."""

    kind = serializers.CharField()
    outcome = serializers.CharField()
    n = serializers.IntegerField()


class RunDetailSerializer(RunSerializer):
    outcomes = OutcomeSerializer(many=True)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "outcomes")  # type: ignore[assignment]


class RunPageSerializer(serializers.Serializer[object]):
    runs = RunSerializer(many=True)
    next_before = serializers.IntegerField(allow_null=True, help_text="Send as `before` for the next page.")


class NewRunSerializer(serializers.Serializer[object]):
    method = serializers.CharField(
        help_text="rules, inject, alternatives, sample, rollout, judge, critic, consensus, score."
    )
    settings = serializers.DictField(
        required=False, help_text="What the method's page asks for, by the names of its command's options."
    )
    budget = serializers.FloatField(
        required=False, allow_null=True, help_text="It pauses at this cost. Null: no limit."
    )


class ResumeSerializer(serializers.Serializer[object]):
    budget = serializers.FloatField(
        required=False, allow_null=True, help_text="Null: no limit. Left out: as it was."
    )


class RefusalSerializer(serializers.Serializer[object]):
    """Every refusal: what is wrong and, where there is one, the field and the 0-based positions."""

    code = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(required=False)
    positions = serializers.ListField(child=serializers.IntegerField(), required=False)
