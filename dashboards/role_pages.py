"""Which pages does each role have, and on which does it land?"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import Page

# url path, which is also the file in app_pages -> title, icon
PAGES: Mapping[str, tuple[str, str]] = {
    "queue": ("Queue", ":material/inbox:"),
    "review": ("Review", ":material/visibility:"),
    "my_work": ("My work", ":material/person_check:"),
    "training": ("Training", ":material/school:"),
    "cases": ("Cases", ":material/folder_open:"),
    "team": ("Team", ":material/groups:"),
    "scorecards": ("Scorecards", ":material/forum:"),
    "review_design": ("Review design", ":material/casino:"),
    "decisions": ("Decisions", ":material/search:"),
    "consistency": ("Consistency", ":material/balance:"),
    "summary": ("Summary", ":material/monitoring:"),
    "watch": ("Watch", ":material/trending_up:"),
    "rules": ("Rules", ":material/rule:"),
    "proposals": ("Proposals", ":material/approval:"),
    "thresholds": ("Thresholds", ":material/tune:"),
    "rule_report": ("Rule report", ":material/query_stats:"),
    "effect": ("Effect", ":material/compare_arrows:"),
    "safety": ("Safety", ":material/health_and_safety:"),
    "lists": ("Lists and snoozes", ":material/snooze:"),
    "models": ("Models", ":material/network_node:"),
    "jobs": ("Jobs", ":material/schedule:"),
    "audit": ("Audit", ":material/verified:"),
    "imports": ("Imports", ":material/upload_file:"),
    "integration": ("Integration", ":material/api:"),
}
# The first page of a role is where it lands.
ROLE_PAGES: Mapping[str, tuple[str, ...]] = {
    "analyst": ("queue", "review", "my_work", "training", "decisions", "consistency"),
    "team_lead": (
        "queue",
        "review",
        "cases",
        "team",
        "review_design",
        "scorecards",
        "decisions",
        "consistency",
        "summary",
        "watch",
        "rules",
        "proposals",
        "safety",
        "lists",
        "models",
        "jobs",
    ),
    "risk_manager": (
        "summary",
        "watch",
        "rules",
        "proposals",
        "thresholds",
        "effect",
        "rule_report",
        "safety",
        "lists",
        "models",
        "jobs",
        "imports",
        "cases",
        "team",
        "review_design",
        "decisions",
        "consistency",
        "audit",
    ),
    "auditor": (
        "decisions",
        "audit",
        "cases",
        "rules",
        "proposals",
        "thresholds",
        "effect",
        "rule_report",
        "safety",
        "lists",
        "models",
        "imports",
        "consistency",
        "summary",
        "watch",
    ),
    "admin": (
        "summary",
        "watch",
        "jobs",
        "models",
        "rules",
        "proposals",
        "thresholds",
        "effect",
        "rule_report",
        "safety",
        "lists",
        "cases",
        "decisions",
        "consistency",
        "audit",
        "team",
        "review_design",
        "imports",
        "integration",
    ),
    "integrator": ("integration", "imports", "decisions"),
}
# Menus of the roles with more pages than fit into one row.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Overview": ("summary", "watch", "consistency"),
    "Work": ("queue", "review", "my_work", "training", "cases", "team", "review_design", "scorecards"),
    "Record": ("decisions", "audit"),
    "Rules": ("rules", "proposals", "thresholds", "effect", "rule_report"),
    "Control": ("safety", "lists", "models", "jobs", "imports", "integration"),
}
IN_ONE_ROW = 7
LANDING = "Second Look"


def names(role: str) -> tuple[str, ...]:
    """The pages of a role by their url path, in order."""
    return ROLE_PAGES.get(role, ("decisions",))


def file(name: str) -> str:
    return f"app_pages/{name}.py"


def is_landing(page: Page) -> bool:
    """Whether this page only leads on to another, so that nothing drawn with it would stay."""
    return page.title == LANDING


def pages(role: str) -> dict[str, list[Page]]:
    """The pages of a role by section, a menu each where there are many; under "" those that stand by themselves.

    The default page only leads on to the first: Streamlit gives a default page no url path of its own, and every page
    should have an address.
    """
    home = st.Page(file("home"), title=LANDING, default=True, visibility="hidden")
    shown = {n: st.Page(file(n), title=PAGES[n][0], icon=PAGES[n][1], url_path=n) for n in names(role)}
    if len(shown) <= IN_ONE_ROW:
        return {"": [home, *shown.values()]}
    # A role's menus stand in the order in which it needs them: that of its pages.
    firsts = {
        title: [names(role).index(n) for n in members if n in shown] for title, members in SECTIONS.items()
    }
    titles = sorted((title for title, found in firsts.items() if found), key=lambda title: min(firsts[title]))
    return {"": [home], **{title: [shown[n] for n in SECTIONS[title] if n in shown] for title in titles}}
