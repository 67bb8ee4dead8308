"""Files are whole or absent: errors, full disks, interrupts, kills."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from classicsr._atomic import atomic_path
from classicsr.io import FileError, read_image, write_image

IMAGE = np.zeros((4, 4), np.uint8)


def test_success_replaces_the_target(tmp_path):
    target = tmp_path / "x.nii.gz"
    target.write_text("old")
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_errors_and_interrupts_leave_nothing(tmp_path, error):
    def interrupted():
        with atomic_path(tmp_path / "x.png") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert not any(tmp_path.iterdir())


def test_a_temporary_that_the_writer_removed(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "x.png") as temporary:
        temporary.unlink()
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_image(tmp_path / "x.png", IMAGE)
    finally:
        os.umask(before)
    assert (tmp_path / "x.png").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_missing_folder(tmp_path, suffix):
    with pytest.raises(FileError, match=rf"x\{suffix}: cannot be written .*No such file") as caught:
        write_image(tmp_path / "none" / f"x{suffix}", IMAGE)
    assert "\n" not in str(caught.value)


def test_a_folder_as_target(tmp_path):
    (tmp_path / "x.png").mkdir()
    with pytest.raises(FileError, match=r"x\.png: cannot be written \(is a folder"):
        write_image(tmp_path / "x.png", IMAGE, overwrite=True)


def test_unwritable_folder(without_permissions, lock):
    lock()
    with pytest.raises(FileError, match=r"x\.png: cannot be written .*Permission denied"):
        write_image(without_permissions / "x.png", IMAGE)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_full_disk_while_flushing(tmp_path, suffix, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=rf"x\{suffix}: cannot be written \(No space left"):
        write_image(tmp_path / f"x{suffix}", IMAGE)
    assert not any(tmp_path.iterdir())


SMALL_DISK = """
import resource, signal, sys
import numpy as np
from classicsr.io import FileError, write_image
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_image(sys.argv[1], np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8))
except FileError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits of Linux")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
def test_a_write_that_the_system_cuts_short(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{path}: cannot be written (File too large)"
    assert not any(tmp_path.iterdir())


ENDLESS = """
import signal, sys
import numpy as np
from classicsr.io import write_image
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs start without it
image = np.random.default_rng(0).integers(0, 255, (700, 700), np.uint8)
print("ready", flush=True)
while True:
    write_image(sys.argv[1], image, overwrite=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGKILL"])
def test_a_killed_process_leaves_the_target_absent_or_whole(tmp_path, signal_name):
    expected = np.random.default_rng(0).integers(0, 255, (700, 700), np.uint8)
    path = tmp_path / "x.png"
    for delay in (0.0, 0.01, 0.027, 0.06):
        path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, path],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(getattr(signal, signal_name))
        if path.exists():
            np.testing.assert_array_equal(read_image(path).array, expected)
        if signal_name == "SIGINT":
            assert set(tmp_path.iterdir()) <= {path}
