from django.http import HttpRequest, HttpResponse


def next_item(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def review(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def mine(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
