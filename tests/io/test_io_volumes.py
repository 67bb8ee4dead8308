"""NIfTI volumes: stored numbers, geometry and headers from file to file."""

import gzip
import warnings

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel.affines import apply_affine

from classicsr._version import __version__
from classicsr.io import FileError, read_volume, upscaled_affine, write_volume

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.3, -0.2, 0.5) @ np.diag([0.8, 1.1, 3.0]), [-31.5, 12.25, 7.0]
)
MARK = f" classicsr {__version__}".encode()


@pytest.fixture(autouse=True)
def every_warning_counts():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def blocks(stored, scale):
    for axis, factor in enumerate(scale):
        stored = stored.repeat(factor, axis)
    return stored


def save(path, stored, affine=OBLIQUE, image_class=nib.Nifti1Image, **fields):
    image = image_class(stored, affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 2)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def raw(path):
    """Stored numbers, read by nibabel."""
    return np.asarray(nib.load(path).dataobj.get_unscaled())


def header_of(path):
    """Header as it stands in the file (loading an image resets slope and intercept)."""
    with nib.openers.ImageOpener(path) as file:
        return nib.Nifti1Header.from_fileobj(file)


# --- geometry


@settings(max_examples=60, deadline=None)
@given(
    matrix=arrays(float, (3, 3), elements=st.floats(-4, 4)),
    origin=arrays(float, 3, elements=st.floats(-200, 200)),
    scale=st.tuples(*[st.integers(1, 5)] * 3),
)
def test_the_mean_of_a_block_lies_at_its_input_voxel(matrix, origin, scale):
    affine = nib.affines.from_matvec(matrix, origin)
    finer = upscaled_affine(affine, scale)
    voxels = np.array([[0, 0, 0], [3, 1, 2], [10, 20, 5]])
    for voxel in voxels:
        block = np.stack(
            np.meshgrid(*[v * s + np.arange(s) for v, s in zip(voxel, scale, strict=True)]), -1
        ).reshape(-1, 3)
        mean = apply_affine(finer, block).mean(axis=0)
        np.testing.assert_allclose(mean, apply_affine(affine, voxel), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(scale=st.tuples(*[st.floats(0.3, 7)] * 3), index=st.tuples(*[st.floats(-5, 300)] * 3))
def test_fractional_scales_follow_the_grid_rule(scale, index):
    scale, index = np.array(scale), np.array(index)
    np.testing.assert_allclose(
        apply_affine(upscaled_affine(OBLIQUE, scale), index * scale + (scale - 1) / 2),
        apply_affine(OBLIQUE, index),
        atol=1e-9,
    )


def test_field_of_view_corners_stay(tmp_path):
    finer = upscaled_affine(OBLIQUE, (2, 3, 4))
    np.testing.assert_allclose(
        apply_affine(finer, [-0.5] * 3), apply_affine(OBLIQUE, [-0.5] * 3), atol=1e-12
    )
    np.testing.assert_allclose(
        apply_affine(finer, [2 * 5 - 0.5, 3 * 6 - 0.5, 4 * 7 - 0.5]),
        apply_affine(OBLIQUE, [4.5, 5.5, 6.5]),
    )


@pytest.mark.parametrize("scale", [0, (1, 2), (1, 1, -1), float("inf")])
def test_wrong_scale(scale):
    with pytest.raises(ValueError, match="The 'scale' parameter must be a positive number or 3"):
        upscaled_affine(OBLIQUE, scale)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_forms_are_those_of_the_finer_grid(tmp_path, rng, suffix, image_class):
    stored = rng.integers(-1000, 1000, (4, 5, 3), np.int16)
    volume = read_volume(save(tmp_path / f"a{suffix}", stored, image_class=image_class))
    assert volume.shape == (4, 5, 3)
    assert volume.spacing == pytest.approx((0.8, 1.1, 3.0))
    np.testing.assert_allclose(volume.affine, OBLIQUE, atol=1e-5)
    write_volume(tmp_path / "b.nii.gz", [blocks(stored, (1, 2, 3))], volume, (1, 2, 3))
    result = nib.load(tmp_path / "b.nii.gz")
    assert type(result) is image_class
    for form, code in ((result.get_sform(coded=True), 2), (result.get_qform(coded=True), 1)):
        np.testing.assert_allclose(form[0], upscaled_affine(OBLIQUE, (1, 2, 3)), atol=1e-5)
        assert form[1] == code
    assert result.header.get_zooms() == pytest.approx((0.8, 0.55, 1.0))
    np.testing.assert_array_equal(raw(tmp_path / "b.nii.gz"), blocks(stored, (1, 2, 3)))


def test_left_handed_qform_and_sheared_sform(tmp_path):
    sheared = OBLIQUE.copy()
    sheared[0, 1] += 0.01
    image = nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), OBLIQUE)
    image.set_sform(sheared, 1)
    image.set_qform(OBLIQUE @ np.diag([-1, 1, 1, 1]), 0)
    nib.save(image, tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    write_volume(tmp_path / "b.nii", [np.zeros((6, 6, 6), np.uint8)], volume, 2)
    result = nib.load(tmp_path / "b.nii")
    np.testing.assert_allclose(result.affine, upscaled_affine(sheared, 2), atol=1e-5)
    assert result.header["qform_code"] == 0
    left_handed = OBLIQUE @ np.diag([-1, 1, 1, 1])
    image.set_sform(None, 0)
    image.set_qform(left_handed, 1)
    nib.save(image, tmp_path / "c.nii")
    volume = read_volume(tmp_path / "c.nii")
    write_volume(tmp_path / "d.nii", [np.zeros((6, 6, 6), np.uint8)], volume, 2)
    result = nib.load(tmp_path / "d.nii")
    np.testing.assert_allclose(result.affine, upscaled_affine(left_handed, 2), atol=1e-5)


def test_forms_that_disagree_are_told(tmp_path):
    image = nib.Nifti1Image(np.zeros((9, 9, 9), np.uint8), np.diag([1, 1, 2, 1]))
    image.set_sform(np.diag([1, 1, 2, 1]), 1)
    image.set_qform(OBLIQUE, 1)
    nib.save(image, tmp_path / "a.nii")
    with pytest.warns(UserWarning, match=r"a\.nii: sform and qform disagree .* sform is used"):
        volume = read_volume(tmp_path / "a.nii")
    np.testing.assert_array_equal(volume.affine, np.diag([1, 1, 2, 1]))


def test_qform_alone_and_no_form_at_all(tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), OBLIQUE)
    image.set_sform(None, 0)
    image.set_qform(OBLIQUE, 1)
    nib.save(image, tmp_path / "q.nii")
    np.testing.assert_allclose(read_volume(tmp_path / "q.nii").affine, OBLIQUE, atol=1e-5)
    image.header["qform_code"] = 0
    nib.save(nib.Nifti1Image(image.dataobj, None, image.header), tmp_path / "n.nii")
    with pytest.warns(UserWarning, match=r"n\.nii: no orientation is stored"):
        volume = read_volume(tmp_path / "n.nii")
    np.testing.assert_allclose(np.abs(np.diag(volume.affine)[:3]), (0.8, 1.1, 3.0), atol=1e-6)


def test_a_singular_sform_is_not_used(tmp_path):
    path = save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.uint8))
    content = bytearray(path.read_bytes())
    content[280:328] = bytes(48)  # srow_x, srow_y, srow_z
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="the sform is not a valid affine"):
        np.testing.assert_allclose(read_volume(path).affine, OBLIQUE, atol=1e-5)


@pytest.mark.parametrize(("units", "factor"), [(1, 1000), (2, 1), (3, 0.001), (0, 1), (4, 1)])
def test_spacing_is_in_mm(tmp_path, units, factor):
    path = save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.uint8), xyzt_units=units)
    assert read_volume(path).spacing == pytest.approx((0.8 * factor, 1.1 * factor, 3 * factor))


# --- stored numbers


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", ">i2", "uint16", "int32", ">f4", "float64", "int8", "uint64"]
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_dtype_byte_order_and_scaling_round_trip(tmp_path, rng, dtype, suffix):
    dtype = np.dtype(dtype)
    stored = rng.integers(0, 120, (5, 4, 3)).astype(dtype)
    order = ">" if dtype.byteorder == ">" else "<"
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    image = nib.Nifti1Image(stored, OBLIQUE, header)
    image.header.set_slope_inter(0.5, -1024)
    nib.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[352:] = stored.tobytes(order="F")  # the stored numbers, not the scaled ones
    path = tmp_path / f"b{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)

    volume = read_volume(path)
    frame = volume.frame(0)
    assert (volume.slope, volume.inter) == (0.5, -1024)
    assert frame.dtype == volume.dtype == dtype.newbyteorder("=")
    assert frame.flags.c_contiguous
    np.testing.assert_array_equal(frame, stored)

    write_volume(tmp_path / f"c{suffix}", [blocks(frame, (1, 1, 2))], volume, (1, 1, 2))
    result = nib.load(tmp_path / f"c{suffix}")
    assert result.header.endianness == order
    assert result.get_data_dtype() == dtype
    np.testing.assert_array_equal(
        result.get_fdata(), blocks(stored, (1, 1, 2)).astype(float) * 0.5 - 1024
    )


def test_undefined_slope_stays_undefined(tmp_path):
    volume = read_volume(save(tmp_path / "a.nii", np.ones((3, 3, 3), np.int16), scl_slope=np.nan))
    assert (volume.slope, volume.inter) == (1.0, 0.0)
    write_volume(tmp_path / "b.nii", [volume.frame(0)], volume, 1)
    before, after = header_of(tmp_path / "a.nii"), header_of(tmp_path / "b.nii")
    np.testing.assert_array_equal(before["scl_slope"], after["scl_slope"])


def test_nan_voxels_stay(tmp_path):
    stored = np.ones((3, 3, 3), np.float32)
    stored[1, 1, 1], stored[0, 0, 0] = np.nan, np.inf
    volume = read_volume(save(tmp_path / "a.nii", stored))
    np.testing.assert_array_equal(volume.frame(0), stored)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_time_series_are_frames_in_any_order(tmp_path, rng, suffix):
    stored = rng.integers(0, 999, (4, 3, 5, 6), np.int16)
    image = nib.Nifti1Image(stored, OBLIQUE)
    image.header.set_zooms((0.8, 1.1, 3.0, 2.5))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / f"a{suffix}")
    volume = read_volume(tmp_path / f"a{suffix}")
    assert (volume.shape, volume.n_frames) == ((4, 3, 5), 6)
    for index in (5, 0, 3, 3, 1):
        np.testing.assert_array_equal(volume.frame(index), stored[..., index])
    with pytest.raises(IndexError):
        volume.frame(6)
    frames = (blocks(volume.frame(i), (2, 1, 1)) for i in range(6))
    write_volume(tmp_path / "b.nii.gz", frames, volume, (2, 1, 1))
    result = nib.load(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(np.asarray(result.dataobj), stored.repeat(2, 0))
    assert result.header.get_zooms() == pytest.approx((0.4, 1.1, 3.0, 2.5))
    assert result.header.get_xyzt_units() == ("mm", "sec")


def test_five_dimensions(tmp_path, rng):
    stored = rng.random((3, 4, 5, 1, 3)).astype(np.float32)
    volume = read_volume(save(tmp_path / "a.nii", stored, intent_code=1007))
    assert volume.n_frames == 3
    np.testing.assert_array_equal(volume.frame(2), stored[..., 0, 2])
    write_volume(tmp_path / "b.nii", [volume.frame(i) for i in range(3)], volume, 1)
    np.testing.assert_array_equal(raw(tmp_path / "b.nii"), stored)
    assert nib.load(tmp_path / "b.nii").header["intent_code"] == 1007


def test_a_single_slice(tmp_path, rng):
    stored = rng.integers(0, 255, (6, 7), np.uint8)
    volume = read_volume(save(tmp_path / "a.nii", stored))
    assert volume.shape == (6, 7, 1)
    np.testing.assert_array_equal(volume.frame(0)[..., 0], stored)
    write_volume(tmp_path / "b.nii", [blocks(volume.frame(0), (3, 3, 1))], volume, (3, 3, 1))
    np.testing.assert_array_equal(raw(tmp_path / "b.nii"), blocks(stored, (3, 3)))


@pytest.mark.parametrize("names", ["RGB", "RGBA"])
def test_colour_channels_are_frames(tmp_path, rng, names):
    dtype = np.dtype([(name, "u1") for name in names])
    n = len(names)
    stored = rng.integers(0, 255, (4, 5, 6, 2, n), np.uint8).view(dtype)[..., 0]
    nib.save(nib.Nifti1Image(stored, OBLIQUE), tmp_path / "a.nii.gz")
    volume = read_volume(tmp_path / "a.nii.gz")
    assert (volume.n_frames, volume.dtype) == (2 * n, np.uint8)
    np.testing.assert_array_equal(volume.frame(n + 1), stored["G"][..., 1])
    frames = (blocks(volume.frame(i), (1, 2, 1)) for i in range(2 * n))
    write_volume(tmp_path / "b.nii", frames, volume, (1, 2, 1))
    np.testing.assert_array_equal(raw(tmp_path / "b.nii"), stored.repeat(2, 1))


def test_header_and_image_pair(tmp_path, rng):
    stored = rng.integers(0, 999, (4, 5, 6), np.int16)
    nib.save(nib.Nifti1Pair(stored, OBLIQUE), tmp_path / "a.img")
    volume = read_volume(tmp_path / "a.hdr")
    np.testing.assert_array_equal(volume.frame(0), stored)
    write_volume(tmp_path / "b.nii", [volume.frame(0)], volume, 1)
    np.testing.assert_array_equal(raw(tmp_path / "b.nii"), stored)
    (tmp_path / "a.img").unlink()
    with pytest.raises(FileError, match=r"a\.img: no such file"):
        read_volume(tmp_path / "a.hdr")


def test_complex_voxels_are_refused(tmp_path):
    path = save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.complex64))
    with pytest.raises(FileError, match="complex64 voxels are not supported"):
        read_volume(path)


# --- header


def test_the_rest_of_the_header_is_kept(tmp_path):
    fields = {
        "cal_min": -150,
        "cal_max": 250,
        "intent_name": "estimate",
        "aux_file": "labels.txt",
        "toffset": 1.5,
        "dim_info": 57,
        "xyzt_units": 10,
        "descrip": "scanner",
    }
    stored = np.zeros((3, 3, 3), np.int16)
    image = nib.Nifti1Image(stored, OBLIQUE)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a comment"))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("afni", b"<AFNI/>" * 99))
    for name, value in fields.items():
        image.header[name] = value
    image.header["slice_code"], image.header["slice_end"] = 1, 2
    nib.save(image, tmp_path / "a.nii.gz")
    volume = read_volume(tmp_path / "a.nii.gz")
    write_volume(
        tmp_path / "b.nii.gz",
        [stored.repeat(3, 2)],
        volume,
        (1, 1, 3),
        description="aplus 1x1x3",
    )
    before, after = nib.load(tmp_path / "a.nii.gz").header, nib.load(tmp_path / "b.nii.gz").header
    for name in set(fields) - {"descrip"}:
        assert after[name] == before[name], name
    assert after["descrip"] == f"scanner classicsr {__version__}: aplus 1x1x3".encode()
    assert [e.get_content() for e in after.extensions] == [
        e.get_content() for e in before.extensions
    ]
    assert (after["slice_code"], after["slice_end"]) == (0, 0)  # no longer acquired slices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"x" * 75, b"x" * 75),
        (b"x" * 50, b"x" * 50 + MARK),
        (b"by classicsr 0.0: else", b"by" + MARK + b": aplus, long ago"),
    ],
)
def test_descrip_is_marked_once_and_only_where_it_fits(tmp_path, text, expected):
    volume = read_volume(save(tmp_path / "a.nii", np.zeros((2, 2, 2), np.uint8), descrip=text))
    frames = [volume.frame(0)]
    write_volume(tmp_path / "b.nii", frames, volume, 1, description="aplus, long ago")
    assert header_of(tmp_path / "b.nii")["descrip"] == expected


def test_equal_volumes_give_equal_files(tmp_path, rng):
    volume = read_volume(save(tmp_path / "a.nii", rng.random((4, 4, 4)).astype(np.float32)))
    for name in ("b.nii.gz", "c.nii.gz"):
        write_volume(tmp_path / name, [volume.frame(0)], volume, 1)
    assert (tmp_path / "b.nii.gz").read_bytes() == (tmp_path / "c.nii.gz").read_bytes()


# --- laziness, refusals


def test_opening_reads_no_voxels(tmp_path, rng):
    stored = rng.integers(0, 2**15, (60, 60, 60), np.int16)
    path = save(tmp_path / "a.nii.gz", stored)
    # the first kilobyte holds the header alone: opening works, reading voxels cannot
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    volume = read_volume(path)
    assert volume.shape == (60, 60, 60)
    with pytest.raises(FileError, match=r"a\.nii\.gz: truncated or corrupt"):
        volume.frame(0)


def test_frames_in_order_are_one_pass_over_a_compressed_file(tmp_path, rng, monkeypatch):
    stored = rng.integers(0, 99, (8, 8, 8, 5), np.int16)
    volume = read_volume(save(tmp_path / "a.nii.gz", stored))
    rewinds = []
    original = gzip._GzipReader._rewind
    monkeypatch.setattr(
        gzip._GzipReader, "_rewind", lambda self: (rewinds.append(1), original(self))[1]
    )
    for index in range(5):
        np.testing.assert_array_equal(volume.frame(index), stored[..., index])
    assert not rewinds


def test_frames_from_several_threads(tmp_path, rng):
    from concurrent.futures import ThreadPoolExecutor

    stored = rng.integers(0, 99, (20, 20, 20, 8), np.int16)
    volume = read_volume(save(tmp_path / "a.nii.gz", stored))
    with ThreadPoolExecutor(4) as pool:
        for index, frame in enumerate(pool.map(volume.frame, range(8))):
            np.testing.assert_array_equal(frame, stored[..., index])


@pytest.mark.parametrize(
    "frames",
    [
        [np.zeros((6, 6, 6), np.float32)] * 2,
        [np.zeros((6, 6, 6), np.int16)],
        [np.zeros((6, 6, 6), np.int16)] * 3,
        [np.zeros((6, 6, 6), np.int16), np.zeros((6, 6, 5), np.int16)],
        [np.zeros((6, 6), np.int16)] * 2,
        [],
    ],
)
def test_frames_that_do_not_match_leave_no_file(tmp_path, frames):
    volume = read_volume(save(tmp_path / "a.nii", np.zeros((3, 3, 3, 2), np.int16)))
    with pytest.raises(ValueError, match="The 'frames' parameter of write_volume must be"):
        write_volume(tmp_path / "b.nii", frames, volume, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii"]


def test_errors_while_frames_are_made_leave_no_file(tmp_path):
    volume = read_volume(save(tmp_path / "a.nii", np.zeros((3, 3, 3, 2), np.int16)))

    def frames():
        yield volume.frame(0)
        raise RuntimeError("method failed")

    with pytest.raises(RuntimeError, match="method failed"):
        write_volume(tmp_path / "b.nii", frames(), volume, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii"]


def test_output_names_and_existing_files(tmp_path):
    volume = read_volume(save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.int16)))
    with pytest.raises(FileError, match=r"volumes are written as \.nii or \.nii\.gz"):
        write_volume(tmp_path / "b.png", [volume.frame(0)], volume, 1)
    with pytest.raises(FileExistsError, match=r"a\.nii: exists already"):
        write_volume(tmp_path / "a.nii", [volume.frame(0)], volume, 1)
    write_volume(tmp_path / "a.nii", [volume.frame(0) + 1], volume, 1, overwrite=True)
    assert raw(tmp_path / "a.nii").all()


def test_an_axis_too_long_for_nifti_1(tmp_path):
    volume = read_volume(save(tmp_path / "a.nii", np.zeros((2, 2, 2), np.uint8)))
    with pytest.raises(FileError, match=r"b\.nii: cannot be written \(NIfTI-1"):
        write_volume(tmp_path / "b.nii", [np.zeros((40000, 2, 2), np.uint8)], volume, 1)
    assert not (tmp_path / "b.nii").exists()


# --- real files


@pytest.mark.parametrize(
    "name",
    [
        "ct/test/totalseg_abdomen_3mm.nii.gz",
        "mri_hippocampus/test/images/hippocampus_189.nii.gz",
        "mri_multicontrast/train/cstar_stroke_t2.nii.gz",
        "pet/test/qin_hn0024_pet_upper.nii.gz",
    ],
)
def test_medical_volumes_from_file_to_file(medical, tmp_path, name):
    source = nib.load(medical / name)
    volume = read_volume(medical / name)
    np.testing.assert_array_equal(volume.frame(0), source.dataobj.get_unscaled())
    np.testing.assert_allclose(volume.affine, source.affine)
    np.testing.assert_allclose(volume.spacing, source.header.get_zooms()[:3])
    finer = volume.frame(0).repeat(2, axis=2)
    write_volume(tmp_path / "b.nii.gz", [finer], volume, (1, 1, 2))
    result = nib.load(tmp_path / "b.nii.gz")
    np.testing.assert_array_equal(result.dataobj[:, :, ::2], source.dataobj)
    middle = apply_affine(result.affine, [[7, 3, 10], [7, 3, 11]]).mean(axis=0)
    np.testing.assert_allclose(middle, apply_affine(source.affine, [7, 3, 5]), atol=1e-4)
