"""Does somebody outside hear how far the chain came, and does it show when it no longer goes through that?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.keeping import heads
from casework.serving.jobs import anchor, send
from data.errors import InputError
from data.strict_yaml import load
from engine.fields import Fields
from engine.policy_work import read_work
from tests.http.institution import Institution, make_workspace, proposals, served
from tests.http.test_cli import Shell, shell
from tests.http.test_webhooks import receiving

__all__ = ["shell"]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Institution]:
    """An institution whose policy has heads told to one of the two hosts that may be told anything."""
    files = proposals()
    hosts = b"webhooks: {hosts: [127.0.0.1, localhost], heads: [127.0.0.1]}"
    files["policy.yaml"] = re.sub(rb"(?m)^webhooks:.*", hosts, files["policy.yaml"])
    with served(make_workspace(tmp_path / "bank", files)) as running:
        yield running


def test_heads_reach_a_receiver_and_the_command_compares_with_what_it_kept(
    bank: Institution, shell: Shell, tmp_path: Path
) -> None:
    with receiving() as receiver:
        asked = {"url": receiver.url, "reason": "keeps heads"}
        assert bank.ask("admin-1", "POST", "/v1/webhooks", json=asked).status_code == 201
        elsewhere = {"url": "https://localhost/hears-no-heads", "reason": "wants dispositions only"}
        assert bank.ask("admin-1", "POST", "/v1/webhooks", json=elsewhere).status_code == 201
        assert "put into 1 messages" in anchor(bank.app)
        assert "put into 0 messages" in anchor(bank.app)  # nothing happened since
        send(bank.app)
        [(headers, body)] = receiver.got
    told = json.loads(body)
    assert told["type"] == heads.KIND
    assert headers["webhook-id"] == f"head_{told['data']['event_seq']}"
    events = bank.ask("auditor-1", "GET", f"/v1/events?after={told['data']['event_seq'] - 1}&limit=1").json()
    assert events["events"][0]["hash"] == told["data"]["hash"]

    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(b'{"type":"ping","data":{}}\n' + body + b"\n")
    bank.app.close()  # the command opens the workspace itself
    where = ("--workspace", bank.app.workspace.root)
    code, said, _ = shell("audit", "verify", "--heads", kept, *where)
    assert (code, "goes through all 1 heads" in said) == (0, True)

    changed = {"event_seq": told["data"]["event_seq"], "hash": "0" * 64}
    kept.write_text(json.dumps(changed) + "\n" + json.dumps({"event_seq": 10**6, "hash": "1" * 64}))
    code, said, _ = shell("audit", "verify", "--heads", kept, *where)
    assert code == 1
    assert f"event {changed['event_seq']} is not the one that was kept outside" in said
    assert "event 1000000, kept outside, is missing" in said


def test_where_the_policy_names_no_host_for_them_heads_go_nowhere(tmp_path: Path) -> None:
    with served(make_workspace(tmp_path / "bank")) as bank:
        asked = {"url": "http://127.0.0.1:9/", "reason": "wants dispositions only"}
        assert bank.ask("admin-1", "POST", "/v1/webhooks", json=asked).status_code == 201
        assert "put into 0 messages" in anchor(bank.app)


def test_heads_for_a_host_that_may_not_be_told_anything_are_refused() -> None:
    with pytest.raises(InputError, match="to which nothing may be sent") as told:
        read_work(Fields(load("webhooks: {hosts: [a.example], heads: [b.example]}", "policy.yaml")), "EUR")
    assert told.value.allowed == "a.example"


@pytest.mark.parametrize("line", ["", "{", '{"event_seq": 0, "hash": "00"}', '["a"]', '{"type": "ping"}'])
def test_a_file_without_a_head_is_refused_with_what_a_line_should_be(tmp_path: Path, line: str) -> None:
    (tmp_path / "kept").write_text(line)
    with pytest.raises(InputError) as told:
        heads.read_kept(tmp_path / "kept")
    assert "event_seq" in told.value.allowed


def test_a_line_of_the_anchors_file_is_a_head_too(tmp_path: Path) -> None:
    line = {"anchor": {"ledger": "x", "seq": 7, "hash": "ab" * 32, "at": "x", "starts": False}, "seal": "00"}
    (tmp_path / "kept").write_text(json.dumps(line))
    assert heads.read_kept(tmp_path / "kept") == [heads.Head(7, "ab" * 32)]
