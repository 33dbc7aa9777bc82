"""Pages of scoring."""

from django.urls import path

from scoring.views import published

urlpatterns = [
    path("benchmarks/<slug:benchmark>/", published.published, name="published"),
]
