#!/usr/bin/env python3
"""What tests/gpu.sh says about pretended machines: an nvidia-smi and a df of our own come first on the PATH."""
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/examples"))
import cases  # noqa: E402

NVIDIA_SMI = """#!/bin/sh
case "$*" in
  -L) printf '%s' '{gpus}' ;;
  *driver_version*) printf '%s' '{driver}' ;;
  *compute_cap*) printf '%s' '{capability}' ;;
esac
"""


class Machine:
    """One whose GPUs, driver and disk are as said; lines end with a newline."""

    def __init__(self, gpus="GPU 0: Pretended\n", driver="580.82.07\n", capability="8.6\n", room_gb=100):
        self.folder = tempfile.TemporaryDirectory()
        self.add("nvidia-smi", NVIDIA_SMI.format(gpus=gpus, driver=driver, capability=capability))
        self.add("df", f"#!/bin/sh\nprintf 'Avail\\n%s\\n' {room_gb}\n")

    def add(self, name, text):
        path = pathlib.Path(self.folder.name, name)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, command):
        """What a line of shell prints on it."""
        environment = dict(os.environ, PATH=f"{self.folder.name}:{os.environ['PATH']}")
        return subprocess.run(["bash", "-euo", "pipefail", "-c", f". tests/gpu.sh; {command}"], cwd=ROOT, env=environment,
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def problem(self, libraries="yes"):
        return self.run(f"gpu_problem . '{libraries}'")


class Gpu(unittest.TestCase):
    def test_a_gpu_that_is_good_enough_is_used(self):
        """Nothing is said of it, and its kernels are compiled for it."""
        machine = Machine(capability="9.0\n")
        self.assertEqual(machine.run("has_gpu && echo yes"), "yes")
        self.assertEqual(machine.problem(), "")
        self.assertEqual(machine.run("gpu_arch"), "90")

    def test_a_tool_without_a_gpu_is_no_gpu(self):
        """nvidia-smi alone, as in a container without the device, does not count."""
        self.assertEqual(Machine(gpus="No devices were found\n").run("has_gpu || echo no"), "no")

    def test_an_old_driver_is_named_with_what_is_needed(self):
        """Found and needed version, and the way out; before anything is downloaded."""
        for libraries in "yes", "installed":
            problem = Machine(driver="535.183.01\n").problem(libraries)
            self.assertRegex(problem, r"driver is 535\.183\.01 .* needs 580 .*VIDI_TORCH=.*building for the CPU$")
            self.assertNotIn("\n", problem)

    def test_a_driver_that_does_not_say_its_version_is_no_reason_to_download(self):
        self.assertIn("driver is of unknown version", Machine(driver="").problem())

    def test_a_libtorch_of_ones_own_may_have_an_older_driver(self):
        """Its CUDA is not ours, and nothing is downloaded."""
        self.assertEqual(Machine(driver="535.183.01\n", room_gb=0).problem(libraries=""), "")

    def test_an_old_gpu_is_named_with_what_is_needed(self):
        """Also with a libtorch of one's own: the kernels are ours."""
        for libraries in "yes", "":
            self.assertRegex(Machine(capability="7.5\n").problem(libraries), r"capability is 7\.5 .* need 8\.0 ")

    def test_a_jetson_orin_needs_a_libtorch_of_its_own(self):
        """The one that would be downloaded has no code for its GPU."""
        machine = Machine(capability="8.7\n")
        self.assertRegex(machine.problem(), r"8\.7.*no code.*VIDI_TORCH=.*building for the CPU$")
        self.assertEqual(machine.problem(libraries=""), "")
        self.assertEqual(machine.run("gpu_arch"), "87")

    def test_the_newest_of_several_gpus_decides(self):
        """Kernels are compiled for those that are new enough."""
        machine = Machine(capability="7.5\n8.9\n8.0\n8.9\n")
        self.assertEqual(machine.problem(), "")
        self.assertEqual(machine.run("gpu_arch"), "80,89")

    def test_a_gpu_of_two_digits(self):
        """Compute capability 12.0 is newer than 8.0, not older."""
        machine = Machine(capability="12.0\n")
        self.assertEqual(machine.problem(), "")
        self.assertEqual(machine.run("gpu_arch"), "120")
        self.assertIn("10.3", Machine(capability="10.3\n").run("needed_capability=120; gpu_problem . yes"))

    def test_a_gpu_that_does_not_tell_its_capability(self):
        """Some devices answer [N/A], old drivers do not know the field: meson gets a number all the same."""
        for answer in "[N/A]\n", 'Field "compute_cap" is not a valid field to query.\n', "":
            machine = Machine(capability=answer)
            self.assertEqual(machine.problem(), "", answer)
            self.assertEqual(machine.run("gpu_arch"), "80", answer)

    def test_no_room_on_the_disk_is_said_before_the_download(self):
        """With what is needed and what is there; what is installed already needs no room."""
        self.assertRegex(Machine(room_gb=4).problem(), r"need 9 GB of disk and \. has 4 GB")
        self.assertEqual(Machine(room_gb=4).problem("installed"), "")


if __name__ == "__main__":
    cases.main(__name__)
