"""DICOM series: geometry, pixels, and everything that is not one series."""

import contextlib
import importlib.util
import warnings

import nibabel as nib
import numpy as np
import pytest

from classicsr.io import FileError, expand_inputs, kind_of, read_volume
from classicsr.io import _dicom_slice as dicom_slice

pydicom = pytest.importorskip("pydicom", reason="needs the extra 'dicom'")
pytest.importorskip("pydicom.data")

OBLIQUE = nib.eulerangles.euler2mat(0.3, -0.2, 0.5)


def edit(folder, **attributes):
    """Change attributes of the slice at each index: name={index: value}."""
    for name, values in attributes.items():
        for index, value in values.items():
            path = sorted(folder.iterdir())[index]
            data = pydicom.dcmread(path)
            setattr(data, name, value)
            data.save_as(path)


def refusal(folder):
    with pytest.raises(FileError) as caught:
        read_volume(folder).frame(0)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is read


def test_pixels_and_places(series):
    folder, voxels = series(matrix=OBLIQUE, spacing=(0.7, 0.9, 2.5), origin=(10, -20, 30))
    volume = read_volume(folder)
    assert kind_of(folder) == "volume"
    assert (volume.shape, volume.dtype, volume.n_frames) == (voxels.shape, voxels.dtype, 1)
    np.testing.assert_array_equal(volume.frame(0), voxels)
    np.testing.assert_allclose(volume.spacing, (0.7, 0.9, 2.5), rtol=1e-9)
    to_ras = np.diag([-1, -1, 1, 1])
    expected = to_ras @ nib.affines.from_matvec(OBLIQUE @ np.diag([0.7, 0.9, 2.5]), (10, -20, 30))
    np.testing.assert_allclose(volume.affine, expected, atol=1e-9)
    np.testing.assert_allclose(volume.header.get_best_affine(), expected, atol=1e-4)
    np.testing.assert_allclose(volume.header.get_qform(), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["mr_t1_saganon", "ct_totalseg_j2k", "pet_qin_hn0024"])
@pytest.mark.filterwarnings("ignore:.*mm apart by their positions")
def test_series_read_as_simpleitk_reads_them(medical, name):
    sitk = pytest.importorskip("SimpleITK")
    folder = medical / "dicom" / name
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    volume = read_volume(folder)
    real = volume.frame(0) * volume.slope + volume.inter
    np.testing.assert_allclose(real, sitk.GetArrayFromImage(image).T, rtol=1e-12)
    matrix = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    lps = nib.affines.from_matvec(matrix, image.GetOrigin())
    np.testing.assert_allclose(volume.affine, np.diag([-1, -1, 1, 1]) @ lps, atol=1e-9)


def test_the_same_scan_as_nifti(medical):
    """The NIfTI file is a crop of the series, in RAS order."""
    volume = read_volume(medical / "dicom" / "mr_t1_saganon")
    ours = nib.as_closest_canonical(nib.Nifti1Image(volume.frame(0), volume.affine))
    crop = nib.load(medical / "mri_t1" / "test" / "saganon_t1_0p86mm.nii.gz")
    offset = np.linalg.inv(crop.affine) @ ours.affine
    np.testing.assert_allclose(offset[:3, :3], np.eye(3), atol=1e-5)
    x, y, z = np.rint(offset[:3, 3]).astype(int)
    np.testing.assert_allclose(offset[:3, 3], (x, y, z), atol=1e-3)
    width = crop.shape[0] - x
    theirs = np.asarray(crop.dataobj)[x:]
    found = np.asarray(ours.dataobj)[:width, -y : crop.shape[1] - y, -z : crop.shape[2] - z]
    np.testing.assert_array_equal(found, theirs[: len(found)])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_types_and_one_rescale_stay_stored_numbers(series, dtype):
    folder, voxels = series(dtype=dtype, RescaleSlope=2.5, RescaleIntercept=-1024)
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.frame(0), voxels)
    assert (volume.dtype, volume.slope, volume.inter) == (np.dtype(dtype), 2.5, -1024)


def test_a_rescale_for_each_slice_gives_real_values(series):
    folder, voxels = series(n=3)
    names = {path.name: index for index, path in enumerate(sorted(folder.iterdir()))}
    order = [names[one.path.name] for one in read_volume(folder).source.slices]
    slopes = (0.5, 2, 3)
    edit(folder, RescaleSlope=dict(zip(order, slopes, strict=True)))
    volume = read_volume(folder)
    assert (volume.dtype, volume.slope, volume.inter) == (np.float32, 1, 0)
    np.testing.assert_allclose(volume.frame(0), voxels * np.array(slopes), rtol=1e-6)


@pytest.mark.parametrize("syntax", ["RLELossless", "DeflatedExplicitVRLittleEndian"])
def test_compressed_pixels(series, syntax):
    folder, voxels = series()
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        if syntax == "RLELossless":
            data.compress(pydicom.uid.RLELossless)
        else:
            data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
        data.save_as(path)
    np.testing.assert_array_equal(read_volume(folder).frame(0), voxels)


@pytest.mark.parametrize("name", ["MR_small_jpeg_ls_lossless", "MR_small_jp2klossless"])
def test_pixels_compressed_by_other_programs(name):
    pytest.importorskip("gdcm", reason="needs the decoders of the extra 'dicom'")
    from pydicom.data import get_testdata_file

    with pytest.warns(UserWarning, match="single slice"):
        plain, packed = (
            read_volume(get_testdata_file(f"{one}.dcm", download=False)).frame(0)
            for one in ("MR_small", name)
        )
    np.testing.assert_array_equal(packed, plain)


def test_big_endian_and_jpeg_2000(medical):
    single = medical / "dicom" / "single"
    with pytest.warns(UserWarning, match="single slice"):
        plain, swapped, rle = (
            read_volume(single / f"MR_small{name}.dcm").frame(0)
            for name in ("", "_bigendian", "_RLE")
        )
    np.testing.assert_array_equal(plain, swapped)
    np.testing.assert_array_equal(plain, rle)
    with pytest.warns(UserWarning, match="single slice"):
        head = read_volume(single / "693_J2KR.dcm")
    assert (head.shape, head.frame(0).std() > 100) == ((512, 512, 1), True)


@pytest.mark.filterwarnings("ignore:.*mm apart by their positions")
def test_many_frames_in_one_file(enhanced):
    path, voxels = enhanced
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.frame(0), voxels)
    np.testing.assert_allclose(volume.spacing, (0.5, 0.5, 3))
    assert volume.thickness == 2
    assert (volume.slope, volume.inter) == (2, -10)


def test_thickness_is_told_apart_from_spacing(series):
    folder, _ = series(spacing=(1, 1, 2), SliceThickness=3, SpacingBetweenSlices=2.5)
    with pytest.warns(UserWarning, match=r"2 mm apart.*\(SpacingBetweenSlices says 2.5\)"):
        volume = read_volume(folder)
    assert volume.spacing[2] == pytest.approx(2)
    assert volume.thickness == 3


@pytest.mark.parametrize(
    ("thickness", "said"), [(0, "0"), (-2, "-2"), (10.1, "10.1"), ({0: 2, 3: 2.5}, "2 to 2.5")]
)
def test_thickness_that_cannot_be_is_ignored(series, thickness, said):
    folder, _ = series(spacing=(1, 1, 2))
    every = thickness if isinstance(thickness, dict) else dict.fromkeys(range(5), thickness)
    edit(folder, SliceThickness=every)
    with pytest.warns(UserWarning, match=f"SliceThickness says {said}, which is ignored"):
        assert read_volume(folder).thickness is None


def test_thickness_that_is_not_said(series):
    assert read_volume(series()[0]).thickness is None
    assert read_volume(series(SliceThickness=None)[0]).thickness is None


def test_a_tilted_gantry_shears_the_affine(series):
    sheared = np.eye(3)
    sheared[1, 2] = 0.2
    folder, voxels = series(matrix=sheared, orientation=np.eye(3), SliceThickness=1.5)
    with pytest.warns(UserWarning, match=r"sheared by 11.3 degrees"):
        volume = read_volume(folder)
    np.testing.assert_allclose(volume.affine[:3, 2], (0, -0.2 * 2, 2), atol=1e-9)
    assert volume.thickness / volume.spacing[2] == pytest.approx(0.75)  # as across the slices
    assert (volume.header["qform_code"], volume.header["sform_code"]) == (0, 1)
    np.testing.assert_array_equal(volume.frame(0), voxels)


def test_a_single_slice(series):
    folder, voxels = series(n=1, SliceThickness=4)
    with pytest.warns(UserWarning, match="single slice, taken as 4 mm"):
        volume = read_volume(next(folder.iterdir()))
    assert (volume.shape, volume.spacing[2]) == (voxels.shape, 4)


def test_other_files_in_the_folder_are_skipped_and_named(series):
    folder, voxels = series()
    path = next(folder.iterdir())
    report = pydicom.dcmread(path)
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(report, keyword)
    report.save_as(folder / "report")
    (folder / "empty.dcm").touch()
    (folder / "notes.txt").write_text("notes")
    (folder / "more").mkdir()
    with pytest.warns(UserWarning, match="skipped") as caught:
        volume = read_volume(folder)
    np.testing.assert_array_equal(volume.frame(0), voxels)
    for part in ("report (Basic Text SR Storage)", "empty.dcm (empty)", "notes.txt (not DICOM)"):
        assert part in str(caught[0].message)


def test_folders_of_series_are_inputs(series, tmp_path):
    first, second = series()[0], series()[0]
    assert expand_inputs([first]) == [first]
    assert expand_inputs([tmp_path]) == sorted([first, second])


# --- what is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SeriesInstanceUID": {1: "1.2.3"}}, "holds 2 series"),
        ({"ImageOrientationPatient": {1: [0, 1, 0, 0, 0, 1]}}, "orientation is 1 x 0 x 0"),
        ({"PixelSpacing": {1: [1, 1.1]}}, "pixel_spacing is"),
        ({"PixelRepresentation": {1: 0}}, "dtype is"),
        ({"PhotometricInterpretation": {1: "MONOCHROME1"}}, "photometric is"),
        ({"PhotometricInterpretation": {0: "PALETTE COLOR"}}, "holds colours"),
        ({"SamplesPerPixel": {0: 3}}, "holds colours"),
        ({"BitsAllocated": {0: 1}}, "1-bit pixels"),
        ({"Rows": {0: 65535}, "Columns": {0: 65535}}, "declares 65535 x 65535"),
        ({"Rows": {0: 9999}}, "pixels are missing"),
        ({"NumberOfFrames": dict.fromkeys(range(5), 2**31 - 1)}, "frames without positions"),
        ({"ImagePositionPatient": {0: [0, 0, 1e30]}}, "ImagePositionPatient is not 3"),
        ({"ImagePositionPatient": {0: [0, 0]}}, "ImagePositionPatient is not 3"),
        ({"ImageOrientationPatient": {i: [1, 0, 0, 1, 0, 0] for i in range(5)}}, "two directions"),
        ({"ImageOrientationPatient": {0: None}}, "ImageOrientationPatient is missing"),
        ({"PixelSpacing": {i: [0, 1] for i in range(5)}}, "PixelSpacing is not positive"),
        ({"RescaleSlope": {0: 0}}, "RescaleSlope is 0"),
    ],
)
def test_slices_that_do_not_fit(series, changes, message):
    folder, _ = series()
    edit(folder, **changes)
    assert message in refusal(folder)


@pytest.mark.parametrize(
    ("moves", "message"),
    [
        ({2: (0, 0, 2)}, "lie at the same position"),
        ({4: (0, 0, 4)}, "2 slice(s) missing"),
        ({4: (0, 0, 0.5)}, "uneven spacing"),
        ({2: (1, 0, 0)}, "shifted unevenly"),
    ],
)
def test_positions_that_are_no_grid(series, moves, message):
    folder, _ = series()
    names = {path.name: index for index, path in enumerate(sorted(folder.iterdir()))}
    slices = read_volume(folder).source.slices
    moved = {
        names[slices[index].path.name]: list(np.add(slices[index].position, by))
        for index, by in moves.items()
    }
    edit(folder, ImagePositionPatient=moved)
    assert message in refusal(folder)


def test_a_missing_slice_is_told_by_its_neighbours(series):
    folder, _ = series()
    slices = read_volume(folder).source.slices
    slices[2].path.unlink()
    message = refusal(folder)
    assert "1 slice(s) missing" in message
    assert f"{slices[1].path.name} and {slices[3].path.name} are 4 mm apart" in message


@pytest.mark.parametrize("rest", [0.3, 0.9, 0.999])
def test_truncated_files(series, rest):
    folder, _ = series(n=1)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[: int(rest * path.stat().st_size)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refusal(folder)


def test_frames_without_positions(enhanced):
    path, _ = enhanced
    data = pydicom.dcmread(path)
    data.NumberOfFrames = 2**31 - 1
    data.save_as(path)
    assert "number of frames" in refusal(path)
    del data.PerFrameFunctionalGroupsSequence
    data.save_as(path)
    assert "frames without positions" in refusal(path)


def test_damaged_bytes_give_one_line_or_a_volume(series, rng):
    folder, _ = series(n=2)
    path = sorted(folder.iterdir())[0]
    whole = path.read_bytes()
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(132, len(whole) - 200, 4):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(FileError):
                assert read_volume(folder).frame(0).size < 10_000


def test_nothing_is_allocated_for_a_false_size(series, monkeypatch):
    folder, _ = series()
    edit(folder, Rows=dict.fromkeys(range(5), 30000), Columns=dict.fromkeys(range(5), 30000))
    monkeypatch.setattr(np, "empty", None)
    assert "pixels are missing" in refusal(folder)


def test_missing_packages_say_which_extra(series, monkeypatch):
    folder, _ = series()
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        data.compress(pydicom.uid.RLELossless)
        data.save_as(path)
    decoder = pydicom.pixels.get_decoder(pydicom.uid.RLELossless)
    monkeypatch.setattr(type(decoder), "is_available", False)
    assert "RLE Lossless pixels need pip install 'classicsr[dicom]'" in refusal(folder)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert dicom_slice.importlib.util.find_spec("pydicom") is None
    assert "need pydicom: pip install 'classicsr[dicom]'" in refusal(folder)


@pytest.mark.parametrize("in_own_series", [False, True])
def test_a_localizer_among_the_slices(series, in_own_series):
    folder, _ = series()
    data = pydicom.dcmread(sorted(folder.iterdir())[0])
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    if in_own_series:
        data.SeriesInstanceUID, data.SeriesDescription = "1.2.3", "scout"
    data.save_as(folder / "scout")
    message = refusal(folder)
    assert ("'scout' (1 slices, such as scout)" if in_own_series else "in scout") in message


ENVELOPE = bytes.fromhex("3082ffff06092a864886f70d010703a082") + bytes(range(256)) * 8


def test_encrypted_files(series):
    """A file in a CMS envelope is not DICOM to see."""
    folder, _ = series()
    inner = read_volume(folder).source.slices[2].path
    inner.write_bytes(ENVELOPE)
    with pytest.warns(UserWarning, match=rf"skipped {inner.name} \(not DICOM\)"):
        assert "1 slice(s) missing" in refusal(folder)
    alone = folder / "scan.dcm"
    alone.write_bytes(ENVELOPE)
    assert "not a .dcm file" in refusal(alone)


def test_encrypted_attributes_are_no_hindrance(series):
    folder, voxels = series()
    for path in folder.iterdir():
        data, hidden = pydicom.dcmread(path), pydicom.Dataset()
        hidden.EncryptedContentTransferSyntaxUID = "1.2.840.10008.1.2"
        hidden.EncryptedContent = ENVELOPE
        data.EncryptedAttributesSequence = [hidden]
        data.save_as(path)
    np.testing.assert_array_equal(read_volume(folder).frame(0), voxels)


def test_video_is_refused(series):
    folder, _ = series(n=1)
    (path,) = folder.iterdir()
    data = pydicom.dcmread(path)
    data.compress(pydicom.uid.RLELossless)
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    data.save_as(path)
    assert "MPEG2" in refusal(folder)
