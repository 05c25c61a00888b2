"""Rows of golden cases and of verdicts, straight into the tables."""

from __future__ import annotations

from data.writer import Writer


def golden_cases(w: Writer, house, seqs: list[int]) -> None:
    w.insert(
        "golden_cases",
        [
            {"golden_id": f"g{seq}", "transaction_seq": seq, "dossier_id": "", "is_fraud": n % 2 == 0,
             "basis": "nominated", "reason": "", "added_by": "lead-1", "added_at": house.now, "retired_because": ""}
            for n, seq in enumerate(seqs)
        ],
    )  # fmt: skip


def said_row(house, n: int, seq: int, who: str, value: str, kind: str, lane: str) -> dict:
    return {
        "verdict_id": f"verdict_{n}", "task_id": f"task_{n}", "case_id": "", "transaction_seq": seq, "task_kind": kind,
        "lane": lane, "reviewer": who, "value": value, "typology": "", "reason_code": "", "note": "", "confidence": "",
        "seconds": 30.0, "guideline_version": "", "arm": "score_shown", "corrections": "{}", "flags": [],
        "given_at": house.now, "event_seq": n, "deserved": "", "idle_seconds": 0.0, "applied_from": "",
    }  # fmt: skip
