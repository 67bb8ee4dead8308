"""Derived DICOM series: what is kept, what is new, and that it reads back the same."""

import numpy as np
import pytest

from classicsr._version import __version__
from classicsr.io import FileError, map_volume, read_volume, upscaled_affine, write_volume

pydicom = pytest.importorskip("pydicom", reason="needs the extra 'dicom'")


def written(volume, path, scale=(1, 1, 3), **options):
    frame = volume.frame(0)
    for axis, factor in enumerate(scale):
        frame = frame.repeat(factor, axis)
    write_volume(path, [frame], volume, scale, **options)
    return frame, read_volume(path)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
@pytest.mark.parametrize("scale", [(1, 1, 3), (2, 3, 1)])
def test_pixels_and_places_round_trip(series, tmp_path, dtype, scale):
    turn = np.array([[0, 0.8, 0.6], [1, 0, 0], [0, 0.6, -0.8]])
    folder, _ = series(
        dtype=dtype, matrix=turn, spacing=(0.5, 0.75, 3), RescaleSlope=2, RescaleIntercept=-9
    )
    volume = read_volume(folder)
    frame, result = written(volume, tmp_path / "out", scale)
    np.testing.assert_array_equal(result.frame(0), frame)
    assert (result.dtype, result.slope, result.inter) == (np.dtype(dtype), 2, -9)
    np.testing.assert_allclose(result.affine, upscaled_affine(volume.affine, scale), atol=1e-9)


@pytest.mark.parametrize(
    ("name", "factor"), [("mr_t1_saganon", 2), ("ct_totalseg_j2k", 1), ("pet_qin_hn0024", 1)]
)
@pytest.mark.filterwarnings("ignore:.*mm apart by their positions")
def test_real_series(medical, tmp_path, name, factor):
    sitk = pytest.importorskip("SimpleITK")
    scale = (1, 1, factor)
    volume = read_volume(medical / "dicom" / name)
    frame, result = written(volume, tmp_path / "out", scale)
    np.testing.assert_array_equal(result.frame(0), frame)
    np.testing.assert_allclose(result.affine, upscaled_affine(volume.affine, scale), atol=1e-9)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "out")))
    image = reader.Execute()
    np.testing.assert_allclose(image.GetSpacing(), result.spacing, rtol=1e-6)
    real = frame * volume.slope + volume.inter
    np.testing.assert_allclose(sitk.GetArrayFromImage(image).T, real, rtol=1e-12)


def test_attributes(series, tmp_path):
    folder, _ = series(SliceThickness=2, WindowCenter=40, LargestImagePixelValue=7)
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.private_block(0x11, "maker", create=True).add_new(1, "LO", "private")
        data.add_new(0x60000010, "US", 7)
        data.save_as(path)
    before = pydicom.dcmread(next(folder.iterdir()))
    written(read_volume(folder), tmp_path / "out", description="A+ 1x1x3")
    slices = [pydicom.dcmread(path) for path in sorted((tmp_path / "out").iterdir())]
    assert len(slices) == 15
    assert len({one.SOPInstanceUID for one in slices}) == 15
    assert len({one.SeriesInstanceUID for one in slices} - {before.SeriesInstanceUID}) == 1
    assert [one.InstanceNumber for one in slices] == list(range(1, 16))
    kept = "PatientName StudyDate StudyInstanceUID FrameOfReferenceUID Modality SOPClassUID"
    for one in slices:
        assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
        assert all(one.get(name) == before.get(name) for name in [*kept.split(), "WindowCenter"])
        assert one.ImageType == ["DERIVED", "SECONDARY", "M"]
        assert one.DerivationDescription == f"classicsr {__version__}: A+ 1x1x3"
        assert one.SeriesDescription == "a scan classicsr"
        assert one.SliceThickness == pytest.approx(2 / 3)
        assert one.SpacingBetweenSlices == pytest.approx(2 / 3)
        assert (0x6000, 0x0010) not in one
        assert not any(element.tag.is_private for element in one)
        assert "LargestImagePixelValue" not in one
    sources = [one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in slices]
    assert sources == [one.instance for one in read_volume(folder).source.slices for _ in range(3)]
    heights = [one.ImagePositionPatient[2] for one in slices]
    np.testing.assert_allclose(heights, np.arange(15) * 2 / 3 - 2 / 3, atol=1e-9)
    np.testing.assert_allclose([one.SliceLocation for one in slices], heights, atol=1e-9)


def test_same_work_same_files(series, tmp_path):
    volume = read_volume(series()[0])
    for name in ("a", "b"):
        written(volume, tmp_path / name)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    written(volume, tmp_path / "c", description="other")
    uids = {pydicom.dcmread(tmp_path / name / "IM01.dcm").SeriesInstanceUID for name in "ac"}
    assert len(uids) == 2


@pytest.mark.parametrize("low", [-50, 3])
def test_real_values_become_16_bits_over_their_range(series, tmp_path, rng, low):
    folder, _ = series(RescaleSlope=2, RescaleIntercept=-9)
    like = map_volume(read_volume(folder), signed=True)
    values = rng.uniform(low, 70, like.shape).astype(np.float32)
    values[0, 0, 0] = 70
    write_volume(tmp_path / "out", [values], like, 1)
    result = read_volume(tmp_path / "out")
    real = result.frame(0) * result.slope + result.inter
    np.testing.assert_allclose(real, 2 * values, atol=0.51 * result.slope)
    assert result.slope < 150 / 30000
    assert (result.inter == 0) == (low > 0)


def test_constant_values(series, tmp_path):
    like = map_volume(read_volume(series()[0]), signed=True)
    write_volume(tmp_path / "out", [np.zeros(like.shape, np.float32)], like, 1)
    assert not read_volume(tmp_path / "out").frame(0).any()


def test_as_nifti(series, tmp_path):
    volume = read_volume(series(RescaleSlope=2, RescaleIntercept=-9)[0])
    frame, result = written(volume, tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(result.frame(0), frame)
    assert (result.slope, result.inter, result.header["xyzt_units"] % 8) == (2, -9, 2)
    np.testing.assert_allclose(result.affine, upscaled_affine(volume.affine, (1, 1, 3)), atol=1e-5)


def test_existing_folders(series, tmp_path):
    volume = read_volume(series()[0])
    written(volume, tmp_path / "out")
    with pytest.raises(FileExistsError):
        written(volume, tmp_path / "out")
    written(volume, tmp_path / "out", (1, 1, 1), overwrite=True)
    assert len(files(tmp_path / "out")) == 5
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(FileError, match="holds other files than DICOM"):
        written(volume, tmp_path / "out", overwrite=True)
    assert len(files(tmp_path / "out")) == 6
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="is a file"):
        written(volume, tmp_path / "file", overwrite=True)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_errors_leave_nothing(series, tmp_path, monkeypatch, error):
    volume = read_volume(series()[0])
    written(volume, tmp_path / "old")
    old = files(tmp_path / "old")
    save, count = pydicom.Dataset.save_as, []

    def fail_later(*args, **options):
        count.append(1)
        if len(count) > 3:
            raise error
        save(*args, **options)

    monkeypatch.setattr(pydicom.Dataset, "save_as", fail_later)
    expected = FileError if isinstance(error, OSError) else KeyboardInterrupt
    for name in ("new", "old"):
        count.clear()
        with pytest.raises(expected):
            written(volume, tmp_path / name, overwrite=True)
    assert not (tmp_path / "new").exists()
    assert files(tmp_path / "old") == old
    assert not list(tmp_path.glob(".classicsr-*"))


@pytest.mark.filterwarnings("ignore:.*mm apart by their positions")
def test_what_cannot_be_a_series(enhanced, tmp_path):
    volume = read_volume(enhanced[0])
    with pytest.raises(FileError, match="multi-frame DICOM is written as NIfTI only"):
        written(volume, tmp_path / "out")
    frame, result = written(volume, tmp_path / "out.nii")
    np.testing.assert_array_equal(result.frame(0), frame)
    with pytest.raises(FileError, match=r"written as \.nii or \.nii\.gz, DICOM also as a folder"):
        written(volume, tmp_path / "out.dcm")
    with pytest.raises(FileError, match="are written as"):
        written(result, tmp_path / "out")
