"""What items are for: probes, given unseen among the work; demonstrations and the questions of the exam."""

from collections.abc import Sequence

from annotator import errors
from annotator.actions.bulk_items import HELD_FOR, Batch, Done, act
from annotator.actions.texts import worded
from annotator.models import Item, Project, Use
from annotator.policies import Actor

EXAM_USES = (Use.DEMONSTRATION, Use.EXAM)


def mark_probes(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str = "", chosen: str = ""
) -> Done:
    """Let these items, which have gold, be given unseen to reviewers who never had them."""

    def change(batch: Batch) -> None:
        batch.skip("are retired", lambda item: item.retired)
        batch.skip("are part of the exam", lambda item: item.use != Use.WORK)
        batch.skip("have no gold", lambda item: item.gold_id is None)
        batch.skip("were probes already", lambda item: item.is_probe)
        batch.update(is_probe=True)

    return act(by, project, item_ids, "mark_probe", change, _data(because, chosen))


def unmark_probes(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str = "", chosen: str = ""
) -> Done:
    """Give them to nobody as probes from now on. What they have measured stays."""

    def change(batch: Batch) -> None:
        batch.skip("were no probes", lambda item: not item.is_probe)
        batch.update(is_probe=False)

    return act(by, project, item_ids, "unmark_probe", change, _data(because, chosen))


def set_use(
    *, by: Actor, project: Project, item_ids: Sequence[int], use: str, because: str = "", chosen: str = ""
) -> Done:
    """Make items with gold demonstrations or part of the exam, and so hold them; or give them back to the work."""
    if use not in (*EXAM_USES, Use.WORK):
        raise errors.Invalid("Choose demonstration, exam or work.", field="use")
    new = Use(use)

    def change(batch: Batch) -> None:
        batch.skip("are retired", lambda item: item.retired)
        batch.skip("were that already", lambda item: item.use == new)
        if new == Use.WORK:
            batch.update(use=new, held=False, held_because="")
            return
        batch.skip("have no gold", lambda item: item.gold_id is None)
        batch.skip("are probes", lambda item: item.is_probe)
        batch.skip("are held", _held_by_somebody)
        batch.update(use=new, held=True, held_because=HELD_FOR[new])

    return act(by, project, item_ids, "set_use", change, {"use": str(new), **_data(because, chosen)})


def _held_by_somebody(item: Item) -> bool:
    """Held for another reason than the exam, which a lead should look at first."""
    return item.held and item.use == Use.WORK


def _data(because: str, chosen: str) -> dict[str, str]:
    return {"because": worded(because, "because", 300), "chosen": chosen}
