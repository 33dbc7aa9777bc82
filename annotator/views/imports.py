from django.http import HttpRequest, HttpResponse


def imports(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def import_page(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
