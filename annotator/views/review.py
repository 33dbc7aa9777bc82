"""Review: claim the next item, judge it, see one's own work. Pages call the same actions as the API."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers

from annotator import errors, policies, queue
from annotator.actions import review as acts
from annotator.core.judgement import ENDS_EARLY, BadJudgement, label_following
from annotator.middleware import PageRequest
from annotator.models import Assignment, AssignmentState, Use
from annotator.views import my_work, review_form, review_page
from annotator.views.exam import after_question, exam_progress
from annotator.views.my_history import HistoryFilter

SURPLUS = "Enough others had submitted the last item first: your review is kept and does not count twice."

Handler = Callable[[PageRequest, int], str]  # does one thing to an assignment, returns where to go


def next_item(request: PageRequest, project: str) -> HttpResponse:
    return HttpResponseRedirect(_open_next(request))


def review(request: PageRequest, project: str, assignment: int) -> HttpResponse:
    if request.method != "POST":
        return _show(request, acts.load(request.membership, assignment))
    try:
        target = _asked(request)(request, assignment)
    except (errors.Invalid, errors.Conflict) as error:
        return _refused(request, acts.load(request.membership, assignment), error)
    return _answer(request, HttpResponseRedirect(target), {"next": target})


def mine(request: PageRequest, project: str) -> HttpResponse:
    form = HistoryFilter(request.GET, label_suffix="")
    if not policies.sees_numbers(request.membership):
        del form.fields["item"]
    page = my_work.build(request.membership, form, request.GET.get("before", ""))
    asked = request.GET.copy()
    asked["before"] = page.before
    context = {"page": page, "older": asked.urlencode(), "has_numbers": "item" in form.fields}
    return render(request, "annotator/mine.html", context, status=400 if form.errors else 200)


def _show(
    request: PageRequest,
    held: Assignment,
    entered: Mapping[str, Any] | None = None,
    error: errors.PlumblineError | None = None,
) -> HttpResponse:
    if held.item.solution.problem.taken_down_at:
        sent = held.state == AssignmentState.SUBMITTED
        return render(
            request, "annotator/taken_down.html", {"sent": sent}, status=error.status if error else 200
        )
    page = review_page.build(held, request.membership, entered, error)
    context = {"page": page, "exam": exam_progress(request.membership, held)}
    return render(request, "annotator/review.html", context, status=error.status if error else 200)


def _asked(request: PageRequest) -> Handler:
    handler = _follow if "following" in request.POST else DO.get(request.POST.get("do", ""))
    if handler is None:
        raise errors.Invalid("Choose what to do with this item.", field="do")
    return handler


def _refused(request: PageRequest, held: Assignment, error: errors.PlumblineError) -> HttpResponse:
    """The page again with what was entered, so that nothing typed is lost."""
    body = {"message": error.message, "field": error.field, "positions": getattr(error, "positions", [])}
    try:
        page = _show(request, held, _entered(request), error)
    except errors.Invalid:  # what was entered cannot even be shown
        page = _show(request, held, None, error)
    return _answer(request, page, body)


def _answer(request: PageRequest, page: HttpResponse, body: dict[str, Any]) -> HttpResponse:
    """review.js asks for JSON, so that it can tell a refusal from a lost connection."""
    if _by_script(request):
        status = page.status_code if page.status_code >= 400 else 200
        page = JsonResponse(body, status=status)
    patch_vary_headers(page, ["Accept"])
    return page


def _by_script(request: PageRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _entered(request: PageRequest) -> dict[str, Any]:
    do = request.POST.get("do", "")
    return review_form.read(request.POST, do if do in ENDS_EARLY else "")


def _save(request: PageRequest, assignment_id: int) -> str:
    return _keep(request, assignment_id, _entered(request))


def _follow(request: PageRequest, assignment_id: int) -> str:
    """Label the unjudged steps after one as that one is; with JavaScript review.js does it."""
    position = request.POST["following"]
    if not position.isdecimal() or len(position) > 4:
        raise errors.Invalid("following: must be a step.", field="following")
    held = acts.load(request.membership, assignment_id)
    try:
        data = label_following(_entered(request), int(position), acts.stops_at_first_error(held))
    except BadJudgement as error:
        raise errors.Invalid(error.message, field=error.field) from None
    return f"{_keep(request, assignment_id, data)}#s{int(position)}"


def _keep(request: PageRequest, assignment_id: int, data: Mapping[str, Any]) -> str:
    version = request.POST.get("version", "")
    if not version.isdigit():
        raise errors.Invalid("version: must be a whole number.", field="version")
    acts.save_draft(by=request.membership, assignment_id=assignment_id, data=data, version=int(version))
    return request.path


def _commit(request: PageRequest, assignment_id: int) -> str:
    done = acts.commit(by=request.membership, assignment_id=assignment_id, data=_entered(request))
    return _sent(request, done) if done.state == "submitted" else request.path


def _submit(request: PageRequest, assignment_id: int) -> str:
    data = _entered(request)
    return _sent(request, acts.submit(by=request.membership, assignment_id=assignment_id, data=data))


def _sent(request: PageRequest, done: Assignment) -> str:
    """On to the next item, with a word about a submission that came after enough others."""
    if done.purpose == Use.EXAM:
        return after_question(request)
    if done.surplus:
        messages.info(request, SURPLUS)
    return _open_next(request)


def _skip(request: PageRequest, assignment_id: int) -> str:
    acts.skip(by=request.membership, assignment_id=assignment_id, reason=request.POST.get("skip_reason", ""))
    return _open_next(request)


def _ask(request: PageRequest, assignment_id: int) -> str:
    """Without JavaScript the question comes with the whole form: that is kept first."""
    if "version" in request.POST and acts.load(request.membership, assignment_id).state in policies.DRAFTABLE:
        _save(request, assignment_id)
    acts.ask(by=request.membership, assignment_id=assignment_id, text=request.POST.get("question", ""))
    if not _by_script(request):
        messages.success(request, "Your question was sent to the leads. You find the answer under My work.")
    return request.path


def _reopen(request: PageRequest, assignment_id: int) -> str:
    acts.reopen(by=request.membership, assignment_id=assignment_id)
    return request.path


def _open_next(request: PageRequest) -> str:
    """Where the next item is; the project page when nothing is left."""
    project = request.membership.project
    try:
        claimed = queue.claim(by=request.membership)
    except (errors.Paused, errors.ExamNeeded) as refused:
        messages.warning(request, refused.message)
        return redirect("exam" if isinstance(refused, errors.ExamNeeded) else "mine", project.slug).url
    if claimed:
        return redirect("review", project.slug, claimed.pk).url
    messages.success(request, "Nothing is left for you here just now. Thank you.")
    return redirect("mine", project.slug).url


DO: dict[str, Handler] = {
    "save": _save,
    "commit": _commit,
    "submit": _submit,
    "skip": _skip,
    "ask": _ask,
    "reopen": _reopen,
    **dict.fromkeys(ENDS_EARLY, _submit),
}
