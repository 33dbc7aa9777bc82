from django.urls import path

from annotator.views import (
    acceptance,
    account,
    adjudicate,
    agreement,
    audit,
    bulk,
    differences,
    exam,
    exports,
    guidelines,
    home,
    hours,
    import_map,
    imports,
    items,
    labels_in,
    people,
    practice,
    project_page,
    projects,
    pull,
    questions,
    releases,
    review,
    reviewers,
    take_down,
    triage,
)  # fmt: skip

account_urls = [
    path("healthz", home.health, name="health"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("sign-in/", account.sign_in, name="sign-in"),
    path("sign-out/", account.sign_out, name="sign-out"),
    path("join/<str:token>/", account.join, name="join"),
    path("set-password/<str:uid>/<str:token>/", account.set_password, name="set-password"),
    path("account/", account.account, name="account"),
    path("account/keys/", account.keys, name="keys"),
    path("account/tokens/", account.tokens, name="tokens"),
]

project_urls = [
    path("", home.home, name="home"),
    path("projects/new/", projects.new_project, name="new-project"),
    path("p/<slug:project>/", project_page.project_page, name="project"),
    path("p/<slug:project>/settings/", projects.settings_page, name="settings"),
    path("p/<slug:project>/people/", people.people, name="people"),
    path("p/<slug:project>/guidelines/", guidelines.guidelines, name="guidelines"),
    path("p/<slug:project>/questions/", questions.questions, name="questions"),
]

review_urls = [
    path("p/<slug:project>/next/", review.next_item, name="next"),
    path("p/<slug:project>/review/<int:assignment>/", review.review, name="review"),
    path("p/<slug:project>/mine/", review.mine, name="mine"),
    path("p/<slug:project>/exam/", exam.exam, name="exam"),
    path("p/<slug:project>/mine/differences/", differences.differences, name="differences"),
]

lead_urls = [
    path("p/<slug:project>/practice/", practice.practice, name="practice"),
    path("p/<slug:project>/items/", items.items, name="items"),
    path("p/<slug:project>/items/<int:item>/", items.item_page, name="item"),
    path("p/<slug:project>/items/<int:item>/take-down/", take_down.take_down, name="take-down"),
    path("p/<slug:project>/adjudicate/", adjudicate.adjudicate, name="adjudicate"),
    path("p/<slug:project>/items/<int:item>/adjudicate/", adjudicate.adjudicate_item, name="adjudicate-item"),
    path("p/<slug:project>/items/bulk/", bulk.bulk, name="bulk"),
    path("p/<slug:project>/triage/", triage.triage, name="triage"),
    path("p/<slug:project>/hours.csv", hours.hours, name="hours"),
    path("p/<slug:project>/imports/", imports.imports, name="imports"),
    path("p/<slug:project>/imports/labels/", labels_in.import_labels, name="import-labels"),
    path("p/<slug:project>/imports/<int:transfer>/", imports.import_page, name="import"),
    path("p/<slug:project>/imports/<int:transfer>/map/", import_map.import_map, name="import-map"),
    path("p/<slug:project>/exports/", exports.exports, name="exports"),
    path("p/<slug:project>/exports/<int:transfer>/", exports.export_page, name="export"),
    path("p/<slug:project>/exports/<int:transfer>/file", exports.export_file, name="export-file"),
    path("p/<slug:project>/releases/", releases.releases, name="releases"),
    path("p/<slug:project>/releases/diff/", releases.release_diff, name="release-diff"),
    path("p/<slug:project>/releases/<int:transfer>/", releases.release_page, name="release"),
    path("p/<slug:project>/releases/<int:transfer>/all.tar", releases.release_tar, name="release-tar"),
    path(
        "p/<slug:project>/releases/<int:transfer>/files/<path:file>",
        releases.release_file,
        name="release-file",
    ),
    path("p/<slug:project>/acceptance/", acceptance.acceptance, name="acceptance"),
    path("p/<slug:project>/pull/", pull.pull, name="pull"),
    path("p/<slug:project>/reviewers/", reviewers.reviewers, name="reviewers"),
    path("p/<slug:project>/agreement/", agreement.agreement, name="agreement"),
    path("p/<slug:project>/agreement/steps.csv", agreement.diagnosis_file, name="diagnosis"),
    path("p/<slug:project>/audit/", audit.audit_page, name="audit"),
    path("p/<slug:project>/audit/file", audit.audit_file, name="audit-file"),
]

urlpatterns = account_urls + project_urls + review_urls + lead_urls
