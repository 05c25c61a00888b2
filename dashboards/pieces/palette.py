"""Which colours mean what, in light and in dark? Charts take them from here; widgets take the same from the theme."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme. `ink` on `paper` and every outcome colour on `paper` hold WCAG AA contrast."""

    paper: str
    ink: str
    quiet: str
    line: str
    band: str
    accent: str
    approve: str
    review: str
    decline: str
    rule: str

    def outcome(self, outcome: str) -> str:
        return {"approve": self.approve, "review": self.review, "decline": self.decline}.get(
            outcome, self.quiet
        )


LIGHT = Palette(
    paper="#fcfbf8",
    ink="#1d2733",
    quiet="#5f6874",
    line="#d9d4c7",
    band="#f2f0e9",
    accent="#24527a",
    approve="#1f7a63",
    review="#a05f00",
    decline="#b3263e",
    rule="#6c4bab",
)
DARK = Palette(
    paper="#14181d",
    ink="#e7eaed",
    quiet="#a6b0ba",
    line="#343d47",
    band="#1e252c",
    accent="#8fc1ea",
    approve="#4fb898",
    review="#dd9a3a",
    decline="#ec7585",
    rule="#b09ae6",
)

# Streamlit's own classes are not an interface; only test ids, keys we set and plain elements are styled here.
_STYLE = """
<style>
  [data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: QUIET; opacity: 1; }
  [data-testid="stMain"] { font-variant-numeric: tabular-nums; }
  [data-testid="stMainBlockContainer"] { max-width: 1440px; padding-left: 2rem; padding-right: 2rem; }
  [data-testid="stBottomBlockContainer"] { max-width: 1440px; padding: .6rem 2rem .8rem; }
  [data-testid="stBottom"] > div { border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent);
    box-shadow: 0 -6px 18px rgb(0 0 0 / 6%); }
  [data-testid="stMetricLabel"] p { font-size: .82rem; opacity: .85; }
  @media (max-width: 1100px) {
    [data-testid="stMetricLabel"], [data-testid="stMetricLabel"] * { white-space: normal; overflow: visible; } }
  .st-key-question h2 { padding: 0; }
  .st-key-why [data-testid="stMarkdownContainer"] p { line-height: 1.4; }
  [data-testid="stHeaderActionElements"] { display: none; }
  .st-key-answer_confirmed_fraud button { border-color: DECLINE; border-width: 1.5px; }
  .st-key-answer_legitimate button { border-color: APPROVE; border-width: 1.5px; }
  .st-key-answer_inconclusive button { border-color: QUIET; border-width: 1.5px; }
  .st-key-answer_confirmed_fraud button [data-testid="stIconMaterial"] { color: DECLINE; }
  .st-key-answer_legitimate button [data-testid="stIconMaterial"] { color: APPROVE; }
  button kbd { opacity: .95 !important; }
  [data-testid="stMetric"] { padding-bottom: 0; }
  .sl-diff { font: .8rem/1.55 "Source Code Pro", monospace; padding: .35rem 0;
    border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-radius: .4rem; }
  .sl-diff > div { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0 .7rem 0 1.9rem; text-indent: -1.2rem; }
  .sl-added { background: color-mix(in srgb, APPROVE 17%, transparent); }
  .sl-removed { background: color-mix(in srgb, DECLINE 15%, transparent); }
  .sl-place { color: QUIET; }
  .st-key-key_facts > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { padding: .55rem .9rem; }
  .st-key-key_facts [data-testid="stMetricValue"] { font-size: 1.5rem; }
  .st-key-confidence_field { flex-wrap: nowrap; }
  .st-key-key_facts [data-testid="stElementToolbar"] { display: none; }
  .st-key-guideline h1 { font-size: 1.15rem; padding: 0 0 .3rem; }
  .st-key-guideline h2, .st-key-guideline h3 { font-size: 1rem; padding: .5rem 0 .2rem; }
  @media (max-width: 1020px) {
    .st-key-task_body > div > [data-testid="stHorizontalBlock"],
    .st-key-verdict_fields > div > [data-testid="stHorizontalBlock"],
    .st-key-key_facts > div > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    .st-key-task_body > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 100%; }
    [data-testid="stMetricValue"] { font-size: 1.25rem; }
    [data-testid="stMetricValue"] * { white-space: normal; overflow: visible; }
    [data-testid="stButtonGroup"], [data-testid="stButtonGroup"] > div {
      flex-wrap: wrap; max-width: 100%; overflow: visible; }
    [class*="st-key-stacked"] > div > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    [class*="st-key-stacked"] > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 100%; }
    [class*="st-key-thirds"] [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    [class*="st-key-thirds"] [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 30%; }
    .st-key-verdict_fields > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 46%; }
    .st-key-key_facts > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { min-width: 30%; }
  }
  .st-key-alarm_line { border-left: 3px solid REVIEW; padding: .1rem .2rem .1rem .7rem;
    background: color-mix(in srgb, REVIEW 7%, transparent); flex-wrap: nowrap; }
  .st-key-alarm_line [data-testid="stMarkdown"] { flex: 1 1 auto; min-width: 0; }
  .st-key-alarm_line [data-testid="stPageLink"] { flex: 0 0 auto; }
  [data-testid="stSliderThumbValue"] p, button[data-variant="segmented_control"][aria-checked="true"] p,
  [data-testid="stTab"][aria-selected="true"] p { color: ACCENT; }
  [class*="st-key-job_"] { border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent);
    padding: .3rem 0; }
  [data-testid="stCode"] .token { color: inherit; }
  [data-testid="stCode"] .token.comment { color: QUIET; }
  [data-testid="stCode"] .token.string { color: APPROVE; }
  [data-testid="stCode"] .token.number, [data-testid="stCode"] .token.boolean { color: RULE; }
  [data-testid="stCode"] .token:is(.key, .atrule, .property, .function, .keyword) { color: ACCENT; }
  [class*="st-key-drawn_"] img { filter: DRAWN; border-radius: .4rem; }
  .st-key-draft_text textarea { font: .82rem/1.55 "Source Code Pro", monospace; white-space: pre; overflow-x: auto; }
</style>
"""


# Pictures that a training drew have a white ground: turned over they stand on the dark paper, with their hues kept.
_DRAWN = {LIGHT: "none", DARK: "invert(.92) hue-rotate(180deg)"}


def style() -> str:
    """The console's own CSS in the reader's theme."""
    colours = palette()
    named = {
        "QUIET": colours.quiet,
        "APPROVE": colours.approve,
        "REVIEW": colours.review,
        "DECLINE": colours.decline,
        "RULE": colours.rule,
        "ACCENT": colours.accent,
        "DRAWN": _DRAWN[colours],
    }
    css = _STYLE
    for name, colour in named.items():
        css = css.replace(name, colour)
    return css


def palette() -> Palette:
    """The colours of the theme the reader has on."""
    return DARK if st.context.theme.type == "dark" else LIGHT
