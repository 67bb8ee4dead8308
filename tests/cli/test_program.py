"""The program as a whole: help, listings, start-up, interruption."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import classicsr
from classicsr.cli import main
from classicsr.cli._common import print_table

COMMANDS = ["upscale", "fit", "evaluate", "info", "methods", "models"]


def program(*argv: object, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "classicsr", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_has_examples(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert re.search(r"^examples?:\n  classicsr ", text, flags=re.MULTILINE)


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"classicsr {classicsr.__version__}\n"


@pytest.mark.parametrize("argv", [[], ["upscale"], ["enhance"], ["info"], ["upscale", "a.png"]])
def test_wrong_usage(run, argv):
    outcome = run(*argv)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert "--help" in outcome.err


def test_methods_lists_the_registry(run):
    lines = run("methods").out.splitlines()
    assert lines[0].split() == ["name", "summary", "paper", "class"]
    assert {line.split()[0] for line in lines[1:]} >= {"bicubic", "lanczos", "gr", "anr", "aplus"}


def test_table_on_a_terminal_shows_names_as_they_are(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_table(("name", "value"), [("scan[/a].png", "[bold]")])
    out = capsys.readouterr().out
    assert "scan[/a].png" in out
    assert "[bold]" in out


def test_models_lists_the_bundle(run, bundle):
    lines = run("models").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["best-x2", "best-x3"]
    assert "Set5 32" in lines[1]


def test_info(run, bundle):
    outcome = run("info", "best-x2")
    assert outcome.status == 0
    assert "method: aplus" in outcome.out
    assert "Set5: 32" in outcome.out


def test_info_on_what_is_no_model(run, image_path, tmp_path):
    for path in (image_path, tmp_path / "gone.safetensors"):
        outcome = run("info", path)
        assert outcome.status == 1
        assert outcome.err.startswith(f"classicsr: {path}: ")
        assert outcome.err.count("\n") == 1


def test_info_on_an_unknown_name(run, bundle):
    outcome = run("info", "best-x5")
    assert outcome.status == 2
    assert "available: best-x2, best-x3, or the path of a .safetensors file" in outcome.err


def test_module_is_the_same_program(image_path, tmp_path):
    out = tmp_path / "out.png"
    done = program("upscale", image_path, "-o", out, "--model", "bicubic")
    assert done.returncode == 0, done.stderr
    assert out.exists()
    assert program("upscale", image_path, "-o", out).returncode != 0


def test_reader_that_leaves_early():
    command = [sys.executable, "-m", "classicsr", "methods"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


HEAVY = ["numpy", "scipy", "sklearn", "numba", "faiss", "skimage", "nibabel", "PIL", "rich"]


@pytest.mark.parametrize("action", ["import classicsr", "from classicsr.cli import _main"])
def test_nothing_heavy_at_the_start(action):
    code = f"import sys; {action}; print(*(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


SLOW = ["scipy.stats", "sklearn", "skimage", "nibabel", "faiss", "rich"]


def test_upscaling_an_image_imports_no_slow_package(image_path, tmp_path):
    code = (
        "import sys; from classicsr.cli import main;"
        f"assert main(['upscale', {str(image_path)!r}, '-o', {str(tmp_path / 'out.png')!r},"
        " '--model', 'bicubic']) == 0;"
        f"print(*(set({SLOW}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_program_starts_numba_without_scipy_linalg(image_path, tmp_path):
    """It is there again for whoever needs it afterwards."""
    code = (
        "import sys; from classicsr.cli import program;"
        f"sys.argv = ['classicsr', 'upscale', {str(image_path)!r},"
        f" '-o', {str(tmp_path / 'out.png')!r}, '--model', 'aplus-x2'];"
        "assert program() == 0; assert 'numba' in sys.modules;"
        "assert 'scipy.linalg' not in sys.modules;"
        "import scipy.linalg; scipy.linalg.cho_factor([[2.0]])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert (tmp_path / "out.png").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interruption_leaves_whole_files_or_none(tmp_path):
    from PIL import Image

    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (500, 500), np.uint8))
    for index in range(40):
        picture.save(folder / f"{index:02}.png")
    command = [sys.executable, "-m", "classicsr", "upscale", folder, "-o", out]
    with subprocess.Popen(
        [*command, "--model", "bicubic", "--scale", "4"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # jobs may ignore it
    ) as process:
        deadline = time.monotonic() + 60
        while not (out.is_dir() and any(out.glob("[0-9]*"))) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    written = sorted(out.iterdir())
    assert 0 < len(written) < 40
    for path in written:
        with Image.open(path) as image:
            assert np.asarray(image).shape == (2000, 2000)
