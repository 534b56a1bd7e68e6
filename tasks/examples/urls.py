"""The examples' pages; the home page is one of them."""

from django.urls import path

from tasks.examples import views
from tasks.examples.export import views as export
from tasks.examples.kill import views as kill
from tasks.examples.mail import views as mail
from tasks.examples.mailbox import views as mailbox
from tasks.examples.photo import views as photo
from tasks.examples.runs import views as runs

app_name = "examples"
urlpatterns = [
    path("", views.home, name="home"),
    path("examples/mail/", mail.sign_up, name="mail"),
    path("examples/mail/confirm/<str:token>/", mail.confirm, name="confirm"),
    path("examples/export/", export.export, name="export"),
    path("examples/export/<uuid:pk>/cancel/", export.cancel, name="cancel"),
    path("examples/export/<uuid:pk>/download/", export.download, name="download"),
    path("examples/photo/", photo.upload, name="photo"),
    path("examples/photo/<uuid:pk>/replace/", photo.replace, name="replace"),
    path("examples/kill/", kill.kill, name="kill"),
    path("examples/kill/<uuid:pk>/", kill.killed, name="killed"),
    path("examples/runs/<str:task_id>/", runs.run_view, name="run"),
    path("examples/mailbox/", mailbox.mailbox, name="mailbox"),
    path("examples/mailbox/<str:name>/", mailbox.mail, name="mailbox_mail"),
]
