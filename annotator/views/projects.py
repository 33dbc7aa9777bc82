from django.http import HttpRequest, HttpResponse


def new_project(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def project_page(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def settings_page(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
