"""Does somebody outside hear how far the chain came, and does it show when it no longer goes through that?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.jobs import anchor, send
from casework.keeping import heads
from data.errors import InputError
from tests.http.institution import Institution, make_workspace, served
from tests.http.test_cli import Shell, shell
from tests.http.test_webhooks import receiving

__all__ = ["shell"]


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Institution]:
    with served(make_workspace(tmp_path / "bank")) as running:
        yield running


def test_heads_reach_a_receiver_and_the_command_compares_with_what_it_kept(
    bank: Institution, shell: Shell, tmp_path: Path
) -> None:
    with receiving() as receiver:
        asked = {"url": receiver.url, "reason": "keeps heads"}
        assert bank.ask("admin-1", "POST", "/v1/webhooks", json=asked).status_code == 201
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
