from django.http import HttpRequest, HttpResponse


def guidelines(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
