"""Is a sender told the truth when an upload finds no room before anybody looks at it?"""

from __future__ import annotations

from tests.data.test_faults import no_file_may_grow_beyond
from tests.http.institution import Institution


def test_an_upload_that_the_temporary_folder_does_not_take_is_the_disks_fault_and_not_the_senders(
    institution: Institution,
) -> None:
    institution.token("integrator-1")
    # What is longer than a megabyte is put on disk as it comes in.
    form = {"file": ("rows.csv", b"x" * 1_100_000)}
    with no_file_may_grow_beyond(20):
        refused = institution.ask("integrator-1", "POST", "/v1/imports", files=form)
    assert (refused.status_code, refused.json()["title"]) == (503, "The disk takes nothing"), refused.text
    assert "retry-after" in refused.headers
