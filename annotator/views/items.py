from django.http import HttpRequest, HttpResponse


def items(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def item_page(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
