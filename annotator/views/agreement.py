from django.http import HttpRequest, HttpResponse


def agreement(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
