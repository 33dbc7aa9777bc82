"""Pages of machine methods."""

from django.urls import path

from synth import views

urlpatterns = [
    path("p/<slug:project>/machines/", views.machines, name="machines"),
    path("p/<slug:project>/machines/<slug:method>/", views.machine, name="machine"),
    path("p/<slug:project>/items/<int:item>/evidence/", views.evidence, name="evidence"),
]
