"""Is there an identity provider to sign in with, and who does it say is here?

Streamlit's own login speaks with the provider; the console only hands the ID token on to the API, which verifies it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import streamlit as st

_NEEDED = (
    "SECONDLOOK_OIDC_ISSUER",
    "SECONDLOOK_OIDC_CLIENT_ID",
    "SECONDLOOK_OIDC_CLIENT_SECRET",
    "SECONDLOOK_OIDC_COOKIE_SECRET",
    "SECONDLOOK_CONSOLE_URL",
)
_SHORTEST_SECRET = 32


def configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether everything is there that a login needs."""
    return all(environment.get(name) for name in _NEEDED)


def secrets(environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """What Streamlit's login is set up with; None without a provider. ValueError for a secret that can be guessed."""
    if not configured(environment):
        return None
    issuer, client_id, client_secret, cookie_secret, console = (environment[name] for name in _NEEDED)
    if len(cookie_secret) < _SHORTEST_SECRET:
        raise ValueError(f"SECONDLOOK_OIDC_COOKIE_SECRET needs at least {_SHORTEST_SECRET} characters")
    return {
        "auth": {
            "redirect_uri": console.rstrip("/") + "/oauth2callback",
            "cookie_secret": cookie_secret,
            "client_id": client_id,
            "client_secret": client_secret,
            "server_metadata_url": issuer.rstrip("/") + "/.well-known/openid-configuration",
            "expose_tokens": "id",
        }
    }


def id_token() -> str:
    """The ID token of whoever came back from the provider, '' if nobody did."""
    if not configured() or not st.user.is_logged_in:
        return ""
    return str(st.user.tokens.get("id", ""))


def leave() -> None:
    """Forget at the console, too, who came from the provider."""
    if id_token():
        st.logout()
