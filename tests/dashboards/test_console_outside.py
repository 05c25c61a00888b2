"""Does the console bring somebody in through an identity provider, and hand on nothing but the provider's token?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import orjson
import pytest
from fake_api import FakeApi
from fake_server import Running
from joserfc import jwk, jwt
from playwright.sync_api import expect, sync_playwright
from test_console_browser import CHROMIUM, FLAGS, PATIENCE, ROOT, free_port, wait_until_up

from dashboards.access import console_headers, outside_login

SECRETS = {
    "SECONDLOOK_OIDC_CLIENT_ID": "second-look",
    "SECONDLOOK_OIDC_CLIENT_SECRET": "s" * 32,
    "SECONDLOOK_OIDC_COOKIE_SECRET": "c" * 32,
}


class Issuer:
    """An identity provider where everybody is signed in already."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.key = jwk.RSAKey.generate_key(2048, {"kid": "one"})
        self.nonce = ""

    def get(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        if path == "/authorize":
            self.nonce = query.get("nonce", "")
            return 302, query["redirect_uri"] + "?" + urlencode({"code": "one-time", "state": query["state"]})
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        return 200, {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "jwks_uri": f"{self.url}/keys",
            "token_endpoint": f"{self.url}/token", "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256"], "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        }  # fmt: skip

    def token(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.url, "aud": "second-look", "sub": "person-17", "iat": now, "exp": now + 3600}
        named = {**claims, "nonce": self.nonce, "email": "ana@bank.example", "email_verified": True}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, named, self.key)
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": signed}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._say(*found.get(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._say(200, found.token())

        def _say(self, status: int, told: Any) -> None:
            body = b"" if status == 302 else orjson.dumps(told)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if status == 302:
                self.send_header("location", told)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        found = Issuer(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_somebody_signed_in_at_the_provider_comes_in_with_one_click(issuer: Issuer, tmp_path: Path) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboards" / "app.py"),
               "--server.address", "127.0.0.1", "--server.port", str(port)]  # fmt: skip
    with Running(FakeApi.with_work()) as running, (tmp_path / "log").open("wb") as log:
        known = {
            "SECONDLOOK_OIDC_ISSUER": issuer.url,
            "SECONDLOOK_CONSOLE_URL": base,
            "SECONDLOOK_API": running.base,
        }
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **SECRETS, **known}, stdout=log, stderr=log
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}")
            headers = httpx.get(f"http://127.0.0.1:{port}/").headers
            assert {name: headers.get(name) for name in console_headers.HEADERS} == console_headers.HEADERS
            elsewhere = {"sec-fetch-site": "cross-site"}
            assert httpx.post(f"http://127.0.0.1:{port}/session/drop", headers=elsewhere).status_code == 403
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = browser.new_page(base_url=base)
                page.set_default_timeout(PATIENCE)
                page.goto("/")
                page.get_by_role("button", name="Sign in with your organisation").click()
                expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=PATIENCE)
                browser.close()
        finally:
            child.terminate()
            child.wait(20)
        ((_, _, body),) = [each for each in running.api.done if each[0] == "outside"]
        assert jwt.decode(body["id_token"], issuer.key).claims["sub"] == "person-17"


def test_a_secret_that_can_be_guessed_is_refused_and_half_a_set_up_is_none() -> None:
    whole = {
        **SECRETS,
        "SECONDLOOK_OIDC_ISSUER": "https://bank.example",
        "SECONDLOOK_CONSOLE_URL": "https://c.example/",
    }
    made = outside_login.secrets(whole)
    assert made is not None
    assert made["auth"]["redirect_uri"] == "https://c.example/oauth2callback"
    with pytest.raises(ValueError, match="at least 32"):
        outside_login.secrets({**whole, "SECONDLOOK_OIDC_COOKIE_SECRET": "short"})
    assert outside_login.secrets({**whole, "SECONDLOOK_OIDC_CLIENT_SECRET": ""}) is None
