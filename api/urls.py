from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from api.views import items, review, runs, transfer

app_name = "api"

review_urls = [
    path("projects", review.projects, name="projects"),
    path("projects/<slug:project>/claim", review.claim, name="claim"),
    path("projects/<slug:project>/assignments/<int:assignment>", review.assignment, name="assignment"),
    path("projects/<slug:project>/assignments/<int:assignment>/draft", review.draft, name="draft"),
    path("projects/<slug:project>/assignments/<int:assignment>/commit", review.commit, name="commit"),
    path("projects/<slug:project>/assignments/<int:assignment>/reveal", review.reveal, name="reveal"),
    path("projects/<slug:project>/assignments/<int:assignment>/submit", review.submit, name="submit"),
    path("projects/<slug:project>/assignments/<int:assignment>/skip", review.skip, name="skip"),
    path("projects/<slug:project>/assignments/<int:assignment>/reopen", review.reopen, name="reopen"),
]

lead_urls = [
    path("projects/<slug:project>/items", items.items, name="items"),
    path("projects/<slug:project>/items/<int:item>", items.item, name="item"),
    path("projects/<slug:project>/items/<int:item>/adjudicate", items.adjudicate, name="adjudicate"),
    path(
        "projects/<slug:project>/items/<int:item>/reopen-decision",
        items.reopen_decision,
        name="reopen-decision",
    ),
    path("projects/<slug:project>/reviewers", items.reviewers, name="reviewers"),
    path("projects/<slug:project>/agreement", items.agreement, name="agreement"),
    path("projects/<slug:project>/exports", transfer.exports, name="exports"),
    path("projects/<slug:project>/exports/<int:transfer>", transfer.export, name="export"),
    path("projects/<slug:project>/exports/<int:transfer>/file", transfer.export_file, name="export-file"),
]

run_urls = [
    path("projects/<slug:project>/runs", runs.runs, name="runs"),
    path("projects/<slug:project>/runs/<int:run>", runs.run, name="run"),
    path("projects/<slug:project>/runs/<int:run>/pause", runs.pause, name="run-pause"),
    path("projects/<slug:project>/runs/<int:run>/resume", runs.resume, name="run-resume"),
    path("projects/<slug:project>/runs/<int:run>/cancel", runs.cancel, name="run-cancel"),
    path("projects/<slug:project>/runs/<int:run>/retry", runs.retry, name="run-retry"),
]

schema_urls = [
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]

urlpatterns = review_urls + lead_urls + run_urls + schema_urls
