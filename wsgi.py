"""What a WSGI server loads: `app`. Without any environment: development, role all, and no connection is opened."""

from app.core.settings import Settings
from app.factory import create_app
from app.wiring import make_runtime
from workers.bell import Bell
from workers.routes import ROUTES

settings = Settings()
app = create_app(make_runtime(settings, routes=ROUTES, ring=Bell(settings.redis_url)))
