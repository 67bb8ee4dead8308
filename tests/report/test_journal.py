"""Records that survive a kill."""

from __future__ import annotations

from classicsr.report._journal import Journal


def test_a_line_that_was_cut_off_is_dropped_and_written_again(tmp_path):
    path = tmp_path / "rows.jsonl"
    journal = Journal(path)
    journal.add("a", {"psnr": 1.25})
    journal.add("b", {"psnr": 2.5})
    path.write_bytes(path.read_bytes()[:-5])
    again = Journal(path)
    assert again.get("a") == {"psnr": 1.25}
    assert again.get("b") is None
    again.add("b", {"psnr": 2.5})
    assert Journal(path).get("b") == {"psnr": 2.5}
    assert Journal(path).get("a") == {"psnr": 1.25}


def test_the_newest_record_counts_and_nonsense_does_not_harm(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xff\xfe\n[1]\n{"a": 2}\n["k", {"v": 1}]\n["k", {"v": 2}]\n3\n[[], {}]\n')
    assert Journal(path).get("k") == {"v": 2}
