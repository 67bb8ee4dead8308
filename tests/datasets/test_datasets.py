"""Data sets: found through checksums, verified when opened, errors that say what to do."""

import hashlib
import os

import nibabel
import numpy as np
import pytest
from PIL import Image

from classicsr.datasets import DatasetError, available_datasets, data_root, load_dataset

needs_data = pytest.mark.skipif(
    not os.environ.get("CLASSICSR_DATA"), reason="CLASSICSR_DATA is not set"
)
NAMES = ["a", "b", "c"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Two collections: natural/Tiny with three images, medical/head/test with a volume."""
    images = tmp_path / "natural" / "Tiny"
    images.mkdir(parents=True)
    for value, name in enumerate(NAMES):
        Image.fromarray(np.full((4, 5), value, np.uint8)).save(images / f"{name}.png")
    volumes = tmp_path / "medical" / "head" / "test"
    volumes.mkdir(parents=True)
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), volumes / "t1.nii.gz")
    (images / "README.md").write_text("text")
    for collection in (tmp_path / "natural", tmp_path / "medical"):
        files = sorted(path for path in collection.rglob("*") if path.is_file())
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(collection)}\n"
            for path in reversed(files)
        ]
        (collection / "SHA256SUMS").write_text("".join(lines))
    (images / "junk.png").write_bytes(b"junk")  # not listed
    monkeypatch.setenv("CLASSICSR_DATA", str(tmp_path))
    return tmp_path


def test_a_set_is_a_sequence_of_arrays(root):
    dataset = load_dataset("natural/Tiny")
    assert data_root() == root
    assert dataset.name == "natural/Tiny"
    assert dataset.names == NAMES
    assert len(dataset) == 3
    assert [int(image[0, 0]) for image in dataset] == [0, 1, 2]
    assert dataset[-1].dtype == np.uint8
    assert dataset[-1].shape == (4, 5)
    assert dataset[1:].names == ["b", "c"]
    assert int(dataset[1:][0][0, 0]) == 1
    with pytest.raises(IndexError):
        dataset[3]


def test_volumes(root):
    dataset = load_dataset("medical/head/test")
    assert dataset.names == ["t1"]
    np.testing.assert_array_equal(dataset[0], np.arange(24).reshape(2, 3, 4))


def test_available_datasets(root):
    assert available_datasets() == ["medical/head/test", "natural/Tiny"]


def test_decoding_is_lazy(root):
    (root / "natural/Tiny/b.png").write_bytes(b"tampered")
    dataset = load_dataset("natural/Tiny")
    assert int(dataset[0][0, 0]) == 0


def test_a_changed_file_is_refused(root):
    """Even one that decodes: here with another grey value."""
    Image.fromarray(np.full((4, 5), 99, np.uint8)).save(root / "natural/Tiny/b.png")
    dataset = load_dataset("natural/Tiny")
    with pytest.raises(DatasetError, match=r"b\.png: is not the published file"):
        dataset[1]
    with pytest.raises(DatasetError, match=r"b\.png"):
        dataset[1:][0]


def test_a_missing_file_is_named(root):
    dataset = load_dataset("natural/Tiny")
    (root / "natural/Tiny/c.png").unlink()
    with pytest.raises(DatasetError, match=r"c\.png: missing \(1 of 3 files of natural/Tiny\)"):
        load_dataset("natural/Tiny")
    with pytest.raises(DatasetError, match=r"c\.png: cannot be read"):
        dataset[2]


def test_unknown_set_lists_what_there_is(root):
    for name in ("natural/Set5", "natural", "../natural/Tiny", "", "natural/Tiny/a.png"):
        with pytest.raises(DatasetError, match=r"it has: medical/head/test, natural/Tiny\. "):
            load_dataset(name)


def test_variable_unset(monkeypatch):
    for value in (None, ""):
        if value is None:
            monkeypatch.delenv("CLASSICSR_DATA", raising=False)
        else:
            monkeypatch.setenv("CLASSICSR_DATA", value)
        assert data_root() is None
        with pytest.raises(DatasetError, match="environment variable CLASSICSR_DATA") as caught:
            load_dataset("natural/Set5")
        message = str(caught.value)
        assert "\n" not in message
        for part in ("Nothing is downloaded", "natural/T91 (J. Yang", "natural/Set5 (M. Bevil"):
            assert part in message


def test_folder_missing_or_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("CLASSICSR_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        load_dataset("natural/Set5")
    monkeypatch.setenv("CLASSICSR_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="none \\(no SHA256SUMS files\\)"):
        load_dataset("natural/Set5")


def test_damaged_listing(root):
    with (root / "natural/SHA256SUMS").open("a") as listing:
        listing.write("not a checksum line\n")
    with pytest.raises(DatasetError, match="SHA256SUMS: has a line"):
        load_dataset("natural/Tiny")


@needs_data
def test_real_sets():
    set5 = load_dataset("natural/Set5")
    assert set5.names == ["baby", "bird", "butterfly", "head", "woman"]
    assert set5[2].shape == (256, 256, 3)
    assert "BMVC 2012" in set5.citation
    sizes = {name: len(load_dataset(f"natural/{name}")) for name in ("Set14", "BSD100", "T91")}
    assert sizes == {"Set14": 14, "BSD100": 100, "T91": 91}
