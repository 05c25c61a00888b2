"""How does a payment system talk to Second Look?"""

from __future__ import annotations

import streamlit as st

from dashboards import frame
from dashboards.client import api_base

EXAMPLE = """curl -s {base}/v1/decisions \\
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{{"transaction_id": "t_1", "occurred_at": "2026-03-01T12:00:00Z", "amount": "49.90", "currency": "EUR",
       "entities": {{"customer": "customer_0412"}}, "attributes": {{"channel": "ecom"}}}}'"""


def show() -> None:
    frame.head(
        "Integration", "Post transactions, get decisions in milliseconds, read what people finally decided."
    )
    st.markdown("**Ask for a decision**")
    st.code(EXAMPLE.format(base=api_base()), language="bash")
    st.markdown("**Follow the dispositions** (what finally happened to each payment)")
    st.code(
        f'curl -s "{api_base()}/v1/dispositions?since=0" -H "Authorization: Bearer $TOKEN"', language="bash"
    )
    st.caption(
        f"All endpoints, with their fields: {api_base()}/docs. Sending an id again returns the stored decision."
    )


show()
