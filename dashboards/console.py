"""Which pages does this person have, and what do they see when signed out or when a page fails?"""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from dashboards import role_pages
from dashboards.access import signin
from dashboards.calls.client import ApiError
from dashboards.pieces import frame
from dashboards.pieces.palette import style

LOGO = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 170 32' height='32'>"
    "<g fill='none' stroke='#3f83b8' stroke-width='2.6'>"
    "<circle cx='13' cy='16' r='9.5'/><circle cx='23' cy='16' r='9.5'/></g>"
    "<circle cx='18' cy='16' r='3' fill='#dd9a3a'/>"
    "<text x='42' y='21.5' font-family='Source Sans, sans-serif' font-size='17' font-weight='650' fill='#7b8794'>"
    "Second Look</text></svg>"
)


def run_page(page: StreamlitPage) -> None:
    """Run a page; an ended session goes to the sign-in, any other refusal is shown with its hint."""
    try:
        page.run()
    except ApiError as error:
        if error.status == signin.SIGNED_OUT:
            signin.forget(ended=True)
            st.rerun()
        frame.show_error(error)


def main() -> None:
    st.set_page_config(
        page_title="Second Look", page_icon="👁", layout="wide", initial_sidebar_state="collapsed"
    )
    st.html(style())
    try:
        who = signin.me()
    except ApiError as error:
        frame.show_error(error)
        return
    if who is None:
        page = st.navigation([st.Page("app_pages/sign_in.py", title="Sign in")], position="hidden")
    else:
        st.logo(LOGO, size="large")
        page = st.navigation(role_pages.pages(who.role), position="top")
    if not role_pages.is_landing(page):
        signin.run_browser_script()
    run_page(page)


main()
