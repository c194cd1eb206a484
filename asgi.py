"""What an ASGI server loads: `app`, which takes requests in whole before a thread of `wsgi.app` is troubled."""

from app.factory import MAX_BODY_BYTES
from app.web.intake import Intake
from wsgi import app as wsgi_app
from wsgi import settings

app = Intake(wsgi_app, settings.web_threads, MAX_BODY_BYTES)
