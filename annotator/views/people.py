from django.http import HttpRequest, HttpResponse


def people(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
