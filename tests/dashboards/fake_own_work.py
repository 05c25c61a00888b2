"""What a person is told of his or her own work at the fake institution, and what a team lead may read."""

from __future__ import annotations

import copy
from typing import Any

from fake_clock import stamp

Json = dict[str, Any]
NONE: Json = {"value": None, "low": None, "high": None, "said": 0, "n": 0, "state": "insufficient data"}
RECALL: Json = {"value": 0.75, "low": 0.47, "high": 0.91, "said": 9, "n": 12, "state": "enough"}
WRONGLY: Json = {"value": 0.08, "low": 0.01, "high": 0.35, "said": 1, "n": 12, "state": "enough"}
FIGURES: Json = {
    "reviewer": "analyst-1", "since": stamp(days=180), "until": stamp(days=1), "reviews": 240, "least": 10,
    "known": {
        "all": {"recall": RECALL, "false_positive_rate": WRONGLY},
        "golden": {"recall": RECALL, "false_positive_rate": WRONGLY},
        "outcome": {"recall": NONE, "false_positive_rate": {**NONE, "said": 0, "n": 4}},
    },
    "money": {"n": 12, "missed_minor": 90_000, "fraud_minor": 500_000, "state": "enough",
              "share": {"value": 0.18, "low": 0.05, "high": 0.4}},
    "weight": {"measured": True, "fit_id": "fit_1", "recall": 0.5, "false_positive_rate": 0.15, "confirmed": 0.54,
               "dismissed": 0.26, "doubted": False, "sentence": "What labels take your word for."},
    "signals": {"n": 240, "window": 300, "level": 0.02, "looked_at": ["share", "runs", "seconds"], "flags": []},
    "sentence": "Of 12 known frauds 9 were found.",
}  # fmt: skip
FLAG: Json = {"name": "runs", "sentence": "The same answer was given many times in a row.", "n": 240, "value": 70,
              "expected": 24, "p": 0.00002}  # fmt: skip
CARD: Json = {
    "scorecard_id": "scorecard_1", "reviewer": "analyst-1", "since": stamp(days=180), "issued_at": stamp(days=1),
    "flagged": False, "opened_at": None, "comments": [], "looks": [],
}  # fmt: skip
WORK: Json = {
    "session": {"since": stamp(hours=1), "current": True, "n": 12,
                "by_value": {"confirmed_fraud": 3, "legitimate": 8, "inconclusive": 1},
                "amount_minor": 412_000, "working_seconds": 420.0, "median_seconds": 31.0, "taken_back": 0},
    "pace": {"days": 28, "n": 40, "by_day": [{"day": "2026-11-19", "n": 22, "median_seconds": 33.0},
                                              {"day": "2026-11-20", "n": 18, "median_seconds": 29.0}],
             "by_arm": {"score_shown": {"value": 29.0, "low": 26.0, "high": 33.0, "n": 30},
                        "blind_first": {"value": 37.0, "low": None, "high": None, "n": 10}}},
    "disagreements": [
        {"verdict_id": "v_8", "task_id": "k_8", "transaction_id": "t_90008", "amount_minor": 81_200,
         "value": "legitimate", "confidence": "high", "typology": "", "note": "",
         "given_at": stamp(days=3), "settled_as": "confirmed_fraud",
         "settled_at": stamp(days=2), "settled_typology": "account_takeover", "settled_reason": "",
         "settled_note": "new phone an hour before"}],
    "golden": [
        {"verdict_id": "v_9", "task_id": "k_9", "transaction_id": "t_90009", "value": "legitimate", "confidence": "low",
         "given_at": stamp(days=2), "arm": "score_shown", "is_fraud": True, "basis": "outcome_and_adjudication",
         "reason": "", "typology": "card_testing", "adjudicated_note": "eight cards on one device"}],
    "golden_feedback": "missed", "scorecards": [CARD], "issued_every_days": 28, "others_after_days": 7,
}  # fmt: skip
EMPTY: Json = {
    "session": {"since": None, "current": False, "n": 0, "by_value": {}, "amount_minor": 0,
                "working_seconds": 0, "median_seconds": None,
                "taken_back": 0},
    "pace": {"days": 28, "n": 0, "by_day": [], "by_arm": {}}, "disagreements": [], "golden": [],
    "golden_feedback": "missed", "scorecards": [], "issued_every_days": 28, "others_after_days": 7,
}  # fmt: skip
OTHERS: Json = {
    "scorecards": [
        {**CARD, "opened_at": stamp(hours=5), "readable": True, "flagged": True},
        {**CARD, "scorecard_id": "scorecard_2", "reviewer": "analyst-2", "readable": False, "flagged": None},
    ]
}
CONSENSUS: Json = {
    "fit": {"fit_id": "fit_1", "fitted_at": stamp(hours=2), "identified": True, "verdicts": 900, "anchors": 80,
            "sentence": "Error rates are anchored by golden items of every class.",
            "prior": {"uncertain": 0.22, "golden": 0.5}, "overall": 0.2, "shared": [[0.5, 0.4, 0.1], [0.1, 0.8, 0.1]]},
    "further": [{"transaction_id": "t_90010", "posterior": 0.61, "reason": "One person said legitimate.",
                 "opened_at": stamp(hours=1), "status": "open"}],
}  # fmt: skip


def _opened(api: Any, asked: Any) -> Json:
    api.done.append(("open", asked.parts[0], {}))
    told = api.done_comments = getattr(api, "done_comments", [])
    looks = [{"seen_by": "team-lead-1", "at": stamp(hours=1)}]
    return {
        **CARD,
        "opened_at": stamp(),
        "figures": copy.deepcopy(FIGURES),
        "comments": list(told),
        "looks": looks,
    }


def _comment(api: Any, asked: Any) -> None:
    api.done.append(("comment", asked.parts[0], asked.body))
    api.done_comments.append({"comment_id": "c_1", "content": asked.body["comment"], "at": stamp()})


def _look(api: Any, asked: Any) -> Json:
    api.done.append(("look", asked.parts[0], {}))
    figures = copy.deepcopy(FIGURES)
    figures["signals"]["flags"] = [FLAG]
    said = [{"comment_id": "c_1", "content": "I had the night shift", "at": stamp(hours=3)}]
    return {**CARD, "opened_at": stamp(hours=5), "flagged": True, "figures": figures, "comments": said}


ROUTES = [
    ("GET", "/me/work", False, lambda _api, _asked: WORK),
    ("GET", "/me/scorecards/([^/]+)", False, _opened),
    ("POST", "/me/scorecards/([^/]+)/comments", False, _comment),
    ("GET", "/scorecards", False, lambda _api, _asked: OTHERS),
    ("GET", "/scorecards/([^/]+)", False, _look),
    ("GET", "/consensus", False, lambda _api, _asked: CONSENSUS),
]
