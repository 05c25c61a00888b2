"""Which models has the demo institution had, and which one waits for a signature?

It began with a small model, took a larger one into service once two people had agreed to that, went back to the small
one on the last evening, and has trained anew: that one is clearly better than what decides now, whatever the seed, so
its gates pass, and the policy asks for a signature.
"""

from __future__ import annotations

from collections.abc import Mapping

from casework.app import App
from casework.learning.registry import flips, models
from casework.safety import actions
from casework.settings import approving, proposals
from casework.settings.approving import Approval
from casework.settings.proposals import Asked
from data import approved

POLICY = "policy.yaml"
ASKS, SIGNS = "risk-manager-2", "risk-manager-1"
_SMALL = {b"\nmodel: {}\n": b"\nmodel: {max_depth: 1, rounds: 20}\n"}
_LARGER = {
    **{after: before for before, after in _SMALL.items()},
    b"\n  promote: automatic ": b"\n  promote: sign_off ",
}


def at_first(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The institution's first set: as its rules are today, but for a small model."""
    return {**files, POLICY: _with(files[POLICY], _SMALL)}


def begin(app: App) -> None:
    """Train the small model, which is promoted as the first one is."""
    app.retrain("person", ASKS, "the first model of this workspace")


def grow(app: App) -> None:
    """Two people agree on a larger model that needs a signature; it is trained, looked at and signed."""
    at, reason = (
        app.clock(),
        "Twenty stumps miss what is rare; and from now on somebody signs for a new model",
    )
    text = _with(approved.current(app.ledger).files[POLICY], _LARGER)
    made = proposals.propose(app, {POLICY: text}, Asked(ASKS, reason, "console: texts"), at=at)
    agreed = Approval(SIGNS, "agreed: nobody should wake up to another model", made.content_sha256)
    approving.approve(app, made.proposal_id, agreed, at=at)
    app.retrain("person", ASKS, "the larger model that was agreed on")
    waiting = [row for row in models.table(app.ledger) if row["status"] == models.CHALLENGER]
    for row in waiting:
        _sign(app, row["model_id"], [flip["seq"] for flip in row["record"]["flips"]])


def go_back(app: App) -> None:
    """Have the small model decide again; nothing where the larger one never decided."""
    at = app.clock()
    if models.predecessor(app.ledger, models.champion_id(app.ledger)):
        reason = "A tour group was stopped at the till tonight; back to the first model until we know why"
        with app.changing_settings(), app.ledger.writing() as w:
            models.roll_back(w, by=ASKS, reason=reason, at=at, folder=app.workspace.models)


def train_anew(app: App) -> None:
    """Train on ten weeks of outcomes and verdicts; what comes of it waits for a signature, and answers as a shadow."""
    app.retrain("person", ASKS, "ten weeks of outcomes and verdicts")
    newest = models.table(app.ledger)[0]
    if newest["status"] == models.CHAMPION:
        return
    name = "Waits for a signature" if newest["status"] == models.CHALLENGER else "Refused model"
    reason = "would it have answered otherwise?"
    actions.start_shadow(
        app, "", name=name, by=ASKS, reason=reason, at=app.clock(), model_id=newest["model_id"]
    )


def _sign(app: App, model_id: str, flipped: list[int]) -> None:
    at, least = app.clock(), app.settings().policy.retrain.flips
    with app.ledger.writing() as w:
        for seq in flipped[:least]:
            flips.open_one(w, model_id, seq, by=SIGNS, at=at)
    with app.changing_settings(), app.ledger.writing() as w:
        reason = "the flips I opened were frauds that the small model let through"
        folder = app.workspace.models
        models.sign_off(w, model_id, by=SIGNS, reason=reason, at=at, folder=folder, least_flips=least)


def _with(text: bytes, changes: Mapping[bytes, bytes]) -> bytes:
    for before, after in changes.items():
        if text.count(before) != 1:
            raise LookupError(f"policy.yaml no longer holds {before!r} once")
        text = text.replace(before, after)
    return text
