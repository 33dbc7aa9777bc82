from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def health(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def favicon(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
