"""Where does this person land?"""

from __future__ import annotations

import streamlit as st

from dashboards import role_pages
from dashboards.pieces import frame

st.switch_page(role_pages.file(role_pages.names(frame.role())[0]))
