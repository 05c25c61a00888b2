"""What does `streamlit run dashboards/app.py` serve? The console's script, and the two routes that keep a sign-in."""

from __future__ import annotations

from starlette.middleware import Middleware
from streamlit.starlette import App

from dashboards.access import outside_login, sign_in_cookie
from dashboards.access.console_headers import ConsoleHeaders

app = App(
    "console.py",
    secrets=outside_login.secrets(),
    routes=sign_in_cookie.routes(),
    middleware=[Middleware(ConsoleHeaders)],
)
