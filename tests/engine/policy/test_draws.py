"""Are draws uniform, repeatable, and independent between purposes and subjects?"""

from __future__ import annotations

import hmac

import numpy as np
import pytest

from engine.draws import draw, transaction_draws

KEY = bytes(range(32))


def test_the_same_arguments_give_the_same_number_and_others_another() -> None:
    first = draw(KEY, "audit", "t1")
    assert draw(KEY, "audit", "t1") == first
    others = {draw(KEY, "audit", "t2"), draw(KEY, "explore", "t1"), draw(b"other", "audit", "t1")}
    assert first not in others and len(others) == 3


@pytest.mark.parametrize("key", [KEY, b"", b"k" * 64, b"k" * 65])
def test_a_draw_is_the_start_of_the_messages_hmac(key: bytes) -> None:
    message = b"\0\0\0\x05audit" + b"\0\0\0\x02" + "é".encode()
    digest = hmac.digest(key, message, "sha256")
    assert draw(key, "audit", "é") == (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def test_purpose_and_subject_cannot_be_confused() -> None:
    assert draw(KEY, "ab", "c") != draw(KEY, "a", "bc")


def test_draws_are_uniform_and_purposes_uncorrelated() -> None:
    audit = np.array([draw(KEY, "audit", str(i)) for i in range(4000)])
    explore = np.array([draw(KEY, "explore", str(i)) for i in range(4000)])
    assert abs(audit.mean() - 0.5) < 0.02
    assert np.histogram(audit, bins=10, range=(0, 1))[0].min() > 330
    assert abs(np.corrcoef(audit, explore)[0, 1]) < 0.05


def test_the_share_drawn_is_the_share_asked_for() -> None:
    drawn = sum(transaction_draws(KEY, str(i), 0.1, 0.0).audited for i in range(4000))
    assert 340 < drawn < 460
