"""Pages of machine methods."""

from django.urls import path

from synth import consensus_page, views

urlpatterns = [
    path("p/<slug:project>/machines/", views.machines, name="machines"),
    path("p/<slug:project>/machines/<slug:method>/", views.machine, name="machine"),
    path("p/<slug:project>/consensus/", consensus_page.consensus, name="consensus"),
    path("p/<slug:project>/items/<int:item>/evidence/", views.evidence, name="evidence"),
]
