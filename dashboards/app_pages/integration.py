"""How does a payment system talk to Second Look?"""

from __future__ import annotations

import streamlit as st

from dashboards.access import signin
from dashboards.calls.client import api_base
from dashboards.pieces import frame, words
from dashboards.views import api_keys_view

EXAMPLE = """curl -s {base}/v1/decisions \\
  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{{"transaction_id": "t_1", "occurred_at": "2026-03-01T12:00:00Z", "amount": "49.90", "currency": "EUR",
       "entities": {{"customer": "customer_0412"}}, "attributes": {{"channel": "ecom"}}}}'"""


def show() -> None:
    frame.head(
        "Integration", "Post transactions, get decisions in milliseconds, read what people finally decided."
    )
    st.markdown("**Ask for a decision**")
    st.code(EXAMPLE.format(base=api_base()), language=None, wrap_lines=True)
    st.page_link(
        "app_pages/imports.py",
        label="Send a file of past payments or outcomes",
        icon=":material/upload_file:",
    )
    st.markdown("**Follow the dispositions** (what finally happened to each payment)")
    st.code(
        f'curl -s "{api_base()}/v1/dispositions?since=0" -H "Authorization: Bearer $KEY"',
        language=None,
        wrap_lines=True,
    )
    st.markdown("**Or hear of them by webhook**, signed, until you have taken each")
    with frame.attempt():
        _webhooks()
    if frame.role() == "admin":
        with frame.attempt():
            api_keys_view.show()
    st.caption(
        f"All endpoints, with their fields: {api_base()}/docs. Sending an id again returns the stored decision."
    )


def _webhooks() -> None:
    """Where messages go, how many wait or were given up, and for an admin the means to register and resend."""
    found = signin.client().work.webhooks()
    told = found["messages"]
    for hook in found["webhooks"]:
        st.markdown(
            f":material/webhook: {words.plain(hook['url'])} :gray[since {frame.when(hook['created_at'])}]"
        )
    hosts = words.listed(found["allowed_hosts"]) or "none"
    heads = words.listed(found["head_hosts"]) or "none"
    st.caption(
        f"{words.count(told['sent'])} arrived, {words.count(told['waiting'])} wait, {words.count(told['dead'])} were "
        f"given up. Hosts that policy allows: {words.plain(hosts)}; that hear how far the chain has come: "
        f"{words.plain(heads)}. An admin registers addresses."
    )
    if frame.role() == "admin":
        _register()
    given_up = [row for row in signin.client().work.deliveries() if row["status"] == "dead"]
    for row in given_up[:10]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{words.plain(row['message_id'])}: {words.plain(row['last_answer'])}")
            if frame.role() == "admin" and st.button("Send again", key=row["delivery_id"], type="tertiary"):
                signin.client().work.resend(row["delivery_id"])
                st.rerun()


def _register() -> None:
    with st.form("webhook", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        url = st.text_input("Address", placeholder="https://…", max_chars=500)
        reason = st.text_input("Why", placeholder="who listens there", max_chars=500)
        if not st.form_submit_button("Register", icon=":material/add_link:") or not url or not reason.strip():
            return
    made = signin.client().work.add_webhook(url, reason)
    st.success(
        "Registered. This secret is shown once; it checks every message's signature.", icon=":material/key:"
    )
    st.code(made["secret"], language=None)


show()
