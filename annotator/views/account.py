from django.http import HttpRequest, HttpResponse


def sign_in(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def sign_out(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def join(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def set_password(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def account(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def keys(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def tokens(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
