"""Pages of scoring."""

from django.urls import path

from scoring.views import compare, leaderboard, misses, moved, published, report, score, tried

IN_PROJECT = "p/<slug:project>/benchmarks"

urlpatterns = [
    path("p/<slug:project>/score/", score.score, name="score"),
    path("p/<slug:project>/score/try/", tried.try_models, name="try-models"),
    path("p/<slug:project>/score/try/<int:run>/", tried.tried, name="tried"),
    path("benchmarks/<slug:benchmark>/", published.published, name="published"),
    path(f"{IN_PROJECT}/", leaderboard.first, name="benchmarks"),
    path(f"{IN_PROJECT}/<slug:benchmark>/", leaderboard.leaderboard, name="benchmark"),
    path(f"{IN_PROJECT}/<slug:benchmark>/compare/", compare.compare, name="benchmark-compare"),
    path(f"{IN_PROJECT}/<slug:benchmark>/moved/", moved.moved, name="benchmark-moved"),
    path(f"{IN_PROJECT}/<slug:benchmark>/raters/<int:rater_id>/", report.report, name="benchmark-report"),
    path(
        f"{IN_PROJECT}/<slug:benchmark>/raters/<int:rater_id>/misses/", misses.page, name="benchmark-misses"
    ),
]
