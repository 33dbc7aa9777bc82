"""Pages by key: the cost of a page does not grow with how far one has turned."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

PAGE = 50
LARGEST = 2**63 - 1

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[M]):
    """`query` is the query string of the page that follows, None on the last."""

    rows: list[M]
    query: str | None
    is_first: bool = True


def after(request: HttpRequest) -> int | None:
    """The key in `?after=`; anything that is not a key counts as the first page."""
    value = request.GET.get("after", "")
    return min(int(value), LARGEST) if value.isascii() and value.isdecimal() else None


def page(request: HttpRequest, rows: QuerySet[M], *, newest_first: bool = False) -> Page[M]:
    """The page of `rows`, by id, that `?after=` asks for."""
    key = after(request)
    if key is not None:
        rows = rows.filter(pk__lt=key) if newest_first else rows.filter(pk__gt=key)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: PAGE + 1])
    last = found[PAGE - 1].pk if len(found) > PAGE else None
    return Page(found[:PAGE], following(request, last), key is None)


def first(request: HttpRequest) -> str:
    """The query string of this page without `after`."""
    query = request.GET.copy()
    query.pop("after", None)
    return query.urlencode()


def following(request: HttpRequest, last: int | None) -> str | None:
    """The query string of this page with another `after`."""
    if last is None:
        return None
    query = request.GET.copy()
    query["after"] = str(last)
    return query.urlencode()
