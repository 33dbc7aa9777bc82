from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("api.urls")),
    path("", include("synth.urls")),
    path("", include("scoring.urls")),
    path("", include("annotator.urls")),
]
