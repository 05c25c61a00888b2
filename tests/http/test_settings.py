"""Can rules and policy be read by all, proposed as files, and approved only when they are sound?"""

import pytest

from casework.settings.rule_lock import LOCK_FILE
from tests.http.institution import Institution, large_payment, payment


def test_the_rules_that_run_are_listed_with_what_a_person_needs(institution: Institution) -> None:
    listed = institution.ask("analyst-1", "GET", "/v1/rules").json()
    rule = institution.ask("analyst-1", "GET", "/v1/rules/card_testing_burst").json()
    assert rule["id"] in [r["id"] for r in listed["rules"]]
    assert rule["file"].startswith("id: card_testing_burst") or "id: card_testing_burst" in rule["file"]
    assert {"title", "status", "conditions", "runbook", "false_positives", "then", "hits"} <= rule.keys()
    assert institution.ask("analyst-1", "GET", "/v1/rules/no_such_rule").status_code == 404


def test_the_policy_is_shown_as_read_and_as_written(institution: Institution) -> None:
    policy = institution.ask("auditor-1", "GET", "/v1/policy").json()
    assert policy["policy"]["high_amount_minor"] == 150_000
    assert "high_amount: 1500" in policy["file"]


def test_a_changed_file_is_a_draft_and_decides_only_once_approved(institution: Institution) -> None:
    file = institution.app.workspace.rules / "policy.yaml"
    file.write_text(file.read_text().replace("high_amount: 1500", "high_amount: 5000"))
    assert institution.decide(large_payment(1))["outcome"] == "review"
    shown = institution.ask("risk-manager-1", "GET", "/v1/drafts").json()
    assert [d["path"] for d in shown["drafts"]] == ["policy.yaml"]
    assert any(line.startswith("+high_amount: 5000") for line in shown["drafts"][0]["diff"])
    assert shown["problems"] == []

    made = institution.propose("risk-manager-1", edited=[], reason="too many reviews of large payments")
    assert institution.decide(large_payment(3))["outcome"] == "review"
    done = institution.approve("risk-manager-2", made)
    now = institution.ask("auditor-1", "GET", "/v1/approved-set").json()
    assert (now["set_id"], now["approved_by"]) == (done["set_id"], "risk-manager-2")
    assert now["reason"] == f"{made['proposal_id']}: too many reviews of large payments"
    after = institution.decide(large_payment(2))
    assert (after["outcome"], after["set_id"]) == ("approve", done["set_id"])
    body = {"edited": [], "reason": "once more"}
    assert institution.ask("risk-manager-1", "POST", "/v1/proposals", json=body).status_code == 409


def test_a_decision_of_an_earlier_set_replays_under_that_set(institution: Institution) -> None:
    for name in ("t1", "t2"):
        assert institution.ask("auditor-1", "GET", f"/v1/replays/{name}").json()["differences"] == []


def test_a_feature_that_reads_the_protected_attribute_is_not_sound(institution: Institution) -> None:
    file = institution.app.workspace.rules / "features.yaml"
    before = file.read_text()
    file.write_text(before + "  - {name: age, attribute: age_band, phrase: age band}\n")
    try:
        (problem,) = institution.ask("risk-manager-1", "GET", "/v1/drafts").json()["problems"]
        assert "the feature age reads the protected attribute" in str(problem)
    finally:
        file.write_text(before)


def test_the_memory_survives_a_new_set(institution: Institution) -> None:
    made = institution.decide(payment(6, entities={"customer": "c1"}))
    assert made["features"]["customer_txn_count_1d"] == 1


def test_drafts_that_are_not_sound_are_named_and_cannot_be_approved(institution: Institution) -> None:
    rule = institution.app.workspace.rules / "catalogue" / "card_testing_burst.yaml"
    before = rule.read_text()
    rule.write_text(before.replace("version: 1", "version: 1\nversion: 1", 1))
    try:
        (problem,) = institution.ask("risk-manager-1", "GET", "/v1/drafts").json()["problems"]
        assert problem["where"].startswith("rules/catalogue/card_testing_burst.yaml:")
        made = institution.propose("risk-manager-1", edited=[], reason="try it")
        assert made["problems"] == [problem]
        answer = institution.ask("risk-manager-2", "POST", "/v1/approvals", json=institution.approval(made))
        assert answer.status_code == 422
        assert problem["where"] in answer.json()["detail"]
    finally:
        rule.write_text(before)


def test_only_edited_files_can_be_picked_up(institution: Institution) -> None:
    (institution.app.workspace.rules / "guidelines.md").write_text("# Look twice.\n")
    body = {"reason": "a first guideline", "edited": ["../secret.key"]}
    answer = institution.ask("risk-manager-1", "POST", "/v1/proposals", json=body)
    assert answer.status_code == 422
    body["edited"] = ["guidelines.md"]
    assert institution.ask("risk-manager-1", "POST", "/v1/proposals", json=body).status_code == 201


def test_a_locked_rule_needs_a_new_version_to_change(institution: Institution) -> None:
    from casework.settings import rule_lock

    workspace = institution.app.workspace
    lock = workspace.rules / LOCK_FILE
    lock.write_bytes(rule_lock.as_bytes(rule_lock.locked(institution.app.live.settings.rules)))
    rule = workspace.rules / "catalogue" / "card_testing_burst.yaml"
    rule.write_text(rule.read_text() + "\n# a remark\n")
    problems = institution.ask("risk-manager-1", "GET", "/v1/drafts").json()["problems"]
    assert [p["what"] for p in problems] == ["the file changed but its version is still 1"]


@pytest.mark.parametrize(
    "path", ["/v1/summary", "/v1/subgroups", "/v1/consistency", "/v1/models", "/v1/retrains"]
)
def test_pages_of_figures_work_on_an_institution_that_has_hardly_begun(
    institution: Institution, path: str
) -> None:
    assert institution.ask("team-lead-1", "GET", path).status_code == 200


def test_every_job_is_listed_and_can_be_run_by_hand(institution: Institution) -> None:
    jobs = [job["name"] for job in institution.ask("auditor-1", "GET", "/v1/jobs").json()["jobs"]]
    assert {"sweep", "retrain", "verify"} <= set(jobs)
    for job in ("sweep", "checkpoint", "trim", "verify"):
        done = institution.ask("admin-1", "POST", f"/v1/jobs/{job}/run").json()
        assert (done["result"], done["detail"][-1]) == ("done", ".")


def test_a_retrain_without_labels_says_why_nothing_was_trained(institution: Institution) -> None:
    started = institution.ask("risk-manager-1", "POST", "/v1/retrains", json={"reason": "try"})
    assert started.status_code == 202
    institution.app.retraining.wait()
    run_id = started.json()["run_id"]
    done = institution.ask("auditor-1", "GET", f"/v1/retrains/{run_id}").json()
    assert (done["stage"], done["share"], done["reason"]) == ("ended", 1.0, "try")
    assert done["result"] in ("failed", "refused")
    assert done["sentence"].endswith(".")


def test_whoever_presses_the_button_of_the_retrain_job_asked_for_what_it_trains(
    institution: Institution,
) -> None:
    """Nobody signs off a model that he or she asked for; `requested_by` is what a sign-off is held against."""
    done = institution.ask("risk-manager-1", "POST", "/v1/jobs/retrain/run")
    assert done.json()["result"] == "done", done.text
    run = institution.ask("auditor-1", "GET", "/v1/retrains").json()["retrains"][0]
    assert (run["requested_by"], run["trigger"]) == ("risk-manager-1", "person")
