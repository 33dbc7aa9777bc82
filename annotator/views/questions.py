from django.http import HttpRequest, HttpResponse


def questions(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
