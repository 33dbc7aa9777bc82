from django.http import HttpRequest, HttpResponse


def exports(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def export_page(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def export_file(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
