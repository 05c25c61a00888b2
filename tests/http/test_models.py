"""Does a model show its card and its flips to whoever signs it off, and nothing that was altered?"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from casework.learning.registry import cards, models
from engine.model import NamedFeatures, TrainingData, registry
from engine.model.train import train
from tests.http.institution import START, Institution, payment

PAGE = b"<!doctype html><title>Model card</title>"
PICTURE = b"\x89PNG picture"


def saved(folder: Path, rounds: int = 5) -> str:
    """A model of one feature with a card beside it; its id."""
    rows = 400
    amount = np.arange(rows) % 100
    times = pa.array(np.arange(rows) * 3_600_000_000, pa.timestamp("us", "UTC"))
    table = pa.table({"seq": np.arange(1, rows + 1), "occurred_at": times, "amount_minor": amount})
    labels = pa.table({"seq": table["seq"], "value": (amount > 90).astype(np.int8), "weight": np.ones(rows)})
    features = NamedFeatures(("amount_minor",), ())
    trained = train(TrainingData.join(table, labels), {"rounds": rounds}, feature_set=features, seed=1)
    model_id = registry.save(folder, trained, created_at=START).model_id
    (folder / model_id / "card.html").write_bytes(PAGE)
    (folder / model_id / "beeswarm.png").write_bytes(PICTURE)
    return model_id


@pytest.fixture(scope="module")
def model(institution: Institution) -> str:
    app = institution.app
    decided = institution.decide(payment(1))
    model_id = saved(app.workspace.models)
    folder = app.workspace.model_folder(model_id)
    flip = {"seq": decided["seq"], "champion": 0.1, "challenger": 0.9, "fraud": True}
    result = {
        "model_id": model_id,
        "metrics": {},
        "record": {"flips": [flip]},
        "gates": [],
        "manifest_sha256": registry.manifest_digest(folder),
        "card_files": cards.digests(folder),
    }
    with app.ledger.writing() as w:
        models.register(w, result, requested_by="schedule", at=START)
    return model_id


def test_flips_are_named_with_payment_and_outcome(institution: Institution, model: str) -> None:
    read = institution.ask("risk-manager-1", "GET", f"/v1/models/{model}").json()
    (flip,) = read["record"]["flips"]
    assert (flip["transaction_id"], flip["outcome"], flip["amount_minor"]) == ("t1", "approve", 1250)
    assert (flip["champion"], flip["challenger"], flip["fraud"]) == (0.1, 0.9, True)
    assert institution.ask("risk-manager-1", "GET", "/v1/models/m_none").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "media"),
    [("card.html", PAGE, "text/html; charset=utf-8"), ("beeswarm.png", PICTURE, "image/png")],
)
def test_the_card_is_given_to_who_may_read_models(
    institution: Institution, model: str, name: str, content: bytes, media: str
) -> None:
    path = f"/v1/models/{model}/{name}"
    answer = institution.ask("auditor-1", "GET", path)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, media)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert institution.ask("analyst-1", "GET", path).status_code == 403
    assert institution.ask("", "GET", path).status_code == 401


@pytest.mark.parametrize("name", ["model.ubj", "manifest.json", "..%2f..%2fsecret.key", "card.json.part"])
def test_no_other_file_of_the_folder_is_given_out(institution: Institution, model: str, name: str) -> None:
    assert institution.ask("admin-1", "GET", f"/v1/models/{model}/{name}").status_code in (404, 422)


def test_a_card_that_is_not_on_record_is_not_found(institution: Institution, model: str) -> None:
    folder = institution.app.workspace.model_folder(model)
    (folder / "card.json").write_text("{}")
    assert institution.ask("admin-1", "GET", f"/v1/models/{model}/card.json").status_code == 404


@pytest.mark.parametrize("altered", ["card.html", "manifest.json"])
def test_an_altered_folder_shows_no_card(institution: Institution, model: str, altered: str) -> None:
    file = institution.app.workspace.model_folder(model) / altered
    before = file.read_bytes()
    file.write_bytes(before + b" ")
    try:
        answer = institution.ask("admin-1", "GET", f"/v1/models/{model}/card.html")
        assert answer.status_code == 422
        assert "on record" in answer.json()["detail"]
    finally:
        file.write_bytes(before)
