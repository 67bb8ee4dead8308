"""Fixtures for every room: one thread, data sets, textures and small fitted models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

# a kernel that compiles inside an example would miss any deadline
settings.register_profile("classicsr", deadline=None, max_examples=30)
settings.load_profile("classicsr")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """BLAS runs on one thread, unless the code under test asks for more."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of the public data sets; tests that need it are skipped without it."""
    value = os.environ.get("CLASSICSR_DATA")
    if not value:
        pytest.skip("CLASSICSR_DATA does not name the folder of the public data sets")
    return Path(value)


def textured(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Edges, stripes and smooth blobs in [0, 1], float32: something that patches can learn."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    image = np.zeros(shape)
    for _ in range(12):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(0, max(shape))
        distance = x * np.cos(angle) + y * np.sin(angle) - offset
        image += rng.uniform(-1, 1) * np.tanh(distance / rng.uniform(0.3, 2))
    for _ in range(4):
        frequency, phase = rng.uniform(-0.6, 0.6, 2), rng.uniform(0, 6)
        image += rng.uniform(0.1, 0.4) * np.sin(x * frequency[0] + y * frequency[1] + phase)
    image -= image.min()
    return (image / image.max()).astype(np.float32)


@pytest.fixture(scope="session")
def make_texture():
    """`textured(shape, seed)`."""
    return textured


@pytest.fixture(scope="session")
def training_images() -> list[np.ndarray]:
    return [textured((72, 90), seed) for seed in range(4)]


def _small_model(scale: int, images: list[np.ndarray]):
    from classicsr import AnchoredRegressionSR

    sr = AnchoredRegressionSR(
        scale, n_anchors=24, n_neighbors=200, n_iter=3, n_levels=1, random_state=0
    )
    return sr.fit(images)


@pytest.fixture(scope="session")
def sr2(training_images):
    """A small A+ model for x2. Shared: tests must not change it."""
    return _small_model(2, training_images)


@pytest.fixture(scope="session")
def sr3(training_images):
    """A small A+ model for x3. Shared: tests must not change it."""
    return _small_model(3, training_images)


@pytest.fixture
def series(tmp_path: Path):
    """Write a DICOM series with shuffled file names; returns its folder and its voxels."""
    pydicom = pytest.importorskip("pydicom", reason="needs the extra 'dicom'")
    rng = np.random.default_rng(1)

    def write(
        n: int = 5,
        dtype: str = "int16",
        matrix: np.ndarray | None = None,
        orientation: np.ndarray | None = None,
        spacing: tuple[float, ...] = (1, 1, 2),
        origin: tuple[float, ...] = (0, 0, 0),
        **attributes: object,
    ) -> tuple[Path, np.ndarray]:
        matrix = np.eye(3) if matrix is None else matrix
        orientation = matrix if orientation is None else orientation
        info = np.iinfo(dtype)
        voxels = rng.integers(max(info.min, -1000), min(info.max, 3000), (7, 6, n)).astype(dtype)
        folder = tmp_path / f"series{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        uids = [pydicom.uid.generate_uid() for _ in range(3)]
        for index, name in enumerate(rng.permutation(n)):
            data = _grey_dataset(pydicom, voxels[:, :, index].T)
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = uids
            data.ImagePositionPatient = list(np.add(origin, matrix[:, 2] * spacing[2] * index))
            data.ImageOrientationPatient = [*orientation[:, 0], *orientation[:, 1]]
            data.PixelSpacing = [spacing[1], spacing[0]]
            data.InstanceNumber = int(name)
            for keyword, value in attributes.items():
                setattr(data, keyword, value)
            data.save_as(folder / f"IM{name}", enforce_file_format=True)
        return folder, voxels

    return write


@pytest.fixture
def enhanced(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A multi-frame file whose frames are not in order, and its voxels."""
    pydicom = pytest.importorskip("pydicom", reason="needs the extra 'dicom'")
    voxels = np.random.default_rng(2).integers(0, 900, (4, 5, 3)).astype(np.uint16)
    order = [2, 0, 1]
    data = _grey_dataset(pydicom, np.concatenate([voxels[:, :, index].T for index in order]))
    data.Rows, data.NumberOfFrames = 5, 3
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"

    def item(**attributes: object):
        one = pydicom.Dataset()
        for keyword, value in attributes.items():
            setattr(one, keyword, value)
        return one

    data.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.5], SliceThickness=2)],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=-10)],
        )
    ]
    data.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 3 * index])])
        for index in order
    ]
    path = tmp_path / "frames.dcm"
    data.save_as(path, enforce_file_format=True)
    return path, voxels


def _grey_dataset(pydicom, pixels: np.ndarray):
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.Modality, data.SeriesDescription = "MR", "a scan"
    data.PatientName, data.StudyDate, data.SeriesNumber = "A^Person", "20200102", 3
    data.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW"
    return data
