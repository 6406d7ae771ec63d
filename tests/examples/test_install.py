#!/usr/bin/env python3
"""An installation in a folder: what it holds, whether it works from there with a clean environment, and whether it goes again."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import cases

PROGRAMS = ["vidi-ask", "vidi-bench", "vidi-export", "vidi-watch"]
HEADER = cases.SOURCE / "gst/vidi.h"
MESON = shutil.which("meson") or "meson"
LOG = cases.BUILD / "meson-logs/install-log.txt"  # what an uninstall reads: a real one's is put back
ENGINE_PROGRAM = """#include "model/engine_api.h"
#include <cstdio>
int main(int, char** argv) {
  const auto side = vidi_engine_api()->picture_side(argv[1]);
  std::printf("%d %d\\n", vidi_engine_api()->version == vidi::kEngineApiVersion, side ? *side : 0);
}
"""


def names(prefix):
    """Values of the macros of vidi.h that begin so."""
    return set(re.findall(rf'^#define {prefix}\w*\s+"([^"]+)"', HEADER.read_text(), re.M))


def install(case, destination):
    """The log of an earlier installation, which its uninstall needs, is put back afterwards."""
    if LOG.exists():
        case.addClassCleanup(LOG.write_bytes, LOG.read_bytes())
    else:
        case.addClassCleanup(LOG.unlink, missing_ok=True)
    installed = cases.run([MESON, "install", "-C", cases.BUILD, "--no-rebuild", "--quiet", "--destdir", destination])
    if installed.returncode:
        raise AssertionError(installed.stdout + installed.stderr)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.destination = cls.folder / "destination"
        install(cls, cls.destination)
        cls.plugins = cls.find("libgstvidi.so").parent
        cls.prefix = cls.find("vidi-ask", "bin").parent.parent
        cls.clip = cls.find("clip.mp4")
        cls.model = cls.find("config.json", "demo").parent

    @classmethod
    def find(cls, name, parent=None):
        found = [path for path in cls.destination.rglob(name) if parent in (None, path.parent.name)]
        assert len(found) == 1, f"expected one {name}, found {found}"
        return found[0]

    def clean(self, **changes):
        """No variable of the build's or the user's."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder), "OMP_WAIT_POLICY": "passive", **changes}

    def run_there(self, *command, **changes):
        result = cases.run(command, env=self.clean(**changes), cwd=self.folder)
        self.assertEqual(result.returncode, 0, f"{command}: {result.stderr}")
        return result.stdout

    def pkg_config(self, *arguments):
        """Flags for what lies in the destination. PKG_CONFIG_SYSROOT_DIR moves GStreamer's folders as well: those are put back."""
        said = self.run_there("pkg-config", *arguments, PKG_CONFIG_SYSROOT_DIR=str(self.destination), PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1",
                              PKG_CONFIG_PATH=str(self.find("vidi.pc").parent))
        flags = []
        for flag in shlex.split(said):
            path = flag[flag.find("/"):] if "/" in flag else ""
            is_elsewhere = path.startswith(str(self.destination)) and not os.path.exists(path)
            flags.append(flag.replace(str(self.destination), "") if is_elsewhere else flag)
        return flags

    def variable(self, name):
        """A path that the package states, in the destination; some versions of pkg-config have put that before it already."""
        said = self.run_there("pkg-config", f"--variable={name}", "vidi", PKG_CONFIG_PATH=str(self.find("vidi.pc").parent)).strip()
        return said if said.startswith(str(self.destination)) else str(self.destination) + said

    # ---- What there is ----

    def test_all_of_it_is_there(self):
        """Plugin, engine, programs, model, clip, headers, pkg-config and completion lie in the folders where each is looked for."""
        installed = {path.relative_to(self.prefix).as_posix() for path in self.prefix.rglob("*") if not path.is_dir()}
        without_triplet = {re.sub(r"^(lib(?:64)?)/[^/]+-linux-gnu[^/]*/", r"\1/", path).replace("lib64/", "lib/") for path in installed}
        expected = {"lib/gstreamer-1.0/libgstvidi.so", "lib/vidi/libvidi.so", "share/vidi/clip.mp4", "include/vidi/vidi.h",
                    "lib/pkgconfig/vidi.pc", "lib/pkgconfig/vidi-engine.pc"}
        for program in PROGRAMS:
            expected |= {f"bin/{program}", f"share/bash-completion/completions/{program}"}
        checkpoint = cases.SOURCE / "examples/demo/checkpoint"
        expected |= {"share/vidi/demo/" + path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if path.is_file()}
        self.assertEqual(expected - without_triplet, set())
        rest = {path for path in without_triplet - expected if not re.match(r"share/man/man1/vidi-\w+\.1$|include/vidi/(model|kernels)/.*\.h$", path)}
        self.assertEqual(rest, set())

    def test_installed_engine_knows_its_libtorch(self):
        """The installed engine finds libtorch without a variable; nothing else of the build folder is left in it."""
        engine = self.find("libvidi.so")
        self.assertNotIn("not found", self.run_there("ldd", str(engine)))
        self.assertNotIn(str(cases.BUILD).encode(), engine.read_bytes())

    @unittest.skipUnless((cases.BUILD / "examples/packaging/vidi-ask.1").exists(), "help2man was not installed when the build was configured")
    def test_manuals_have_every_option(self):
        """The manual page of a program has the options of its --help."""
        for program in PROGRAMS:
            said = self.run_there(str(self.prefix / "bin" / program), "--help")
            page = self.find(program + ".1").read_text().replace("\\-", "-")
            options = re.findall(r"--[a-z][a-z-]+", said)
            self.assertGreater(len(options), 15)
            self.assertEqual([option for option in options if option not in page], [])

    # ---- That it works from there ----

    def test_gst_inspect_finds_it(self):
        """gst-inspect-1.0 finds the installed element, with the pads and signals of vidi.h."""
        said = self.run_there("gst-inspect-1.0", "vidifilter", GST_PLUGIN_PATH=str(self.plugins))
        self.assertIn(str(self.plugins / "libgstvidi.so"), said)
        pads = set(re.findall(r"(?:SRC|SINK) template: '(\w+)'", said))
        self.assertEqual(pads, names("VIDI_PAD_"))
        for signal in names("VIDI_SIGNAL_"):
            self.assertRegex(said, rf'"{signal}"')

    def test_programs_need_no_variable(self):
        """The installed vidi-ask finds element, engine and model by itself, wherever the installation was moved to."""
        said = self.run_there(str(self.prefix / "bin/vidi-ask"), "--quiet", str(self.clip), "a dog")
        self.assertRegex(said, r"(?m)^a dog +0:1[123]\.\d +0:1[567]\.\d ")

    def test_version(self):
        """Each program says its version."""
        for program in PROGRAMS:
            said = self.run_there(str(self.prefix / "bin" / program), "--version")
            self.assertRegex(said, rf"^{program} \(vidifilter\) \d+\.\d+\.\d+\n$")

    def test_completion_is_what_help_says(self):
        """bash completes the options of --help, all of them, and leaves the rest to files."""
        program = self.prefix / "bin/vidi-ask"
        script = f'. "$1"; COMP_WORDS=(vidi-ask "$3"); COMP_CWORD=1; _vidi_programs "$2" "$3" vidi-ask; printf "%s\\n" "${{COMPREPLY[@]}}"'
        completion = self.find("vidi-ask", "completions")

        def complete(word):
            return self.run_there("bash", "-c", script, "bash", str(completion), str(program), word).split()
        said = self.run_there(str(program), "--help")
        self.assertEqual(set(complete("--")), set(re.findall(r"--[a-z][a-z-]+", said)))
        self.assertEqual(complete("--mem"), ["--memory-limit"])
        self.assertEqual(complete("film"), [])

    # ---- Applications ----

    def test_c_program(self):
        """embed.c compiles by what pkg-config says of vidi, and finds the dog with the model of `modeldir` and the engine of `enginefile`."""
        program = self.folder / "embed"
        source = cases.SOURCE / "examples/embed/embed.c"
        self.run_there("cc", "-Wall", "-Werror", str(source), *self.pkg_config("--cflags", "--libs", "vidi"), "-o", str(program))
        for name in ["pluginsdir", "enginefile", "modeldir", "clipfile"]:
            self.assertTrue(os.path.exists(self.variable(name)), name)
        said = self.run_there(str(program), self.variable("clipfile"), "a dog", self.variable("modeldir"),
                              GST_PLUGIN_PATH=self.variable("pluginsdir"), VIDI_ENGINE=self.variable("enginefile"))
        self.assertRegex(said.strip(), r"^a dog: 1[123]\.\d s to 1[567]\.\d s$")

    def test_program_on_the_engine(self):
        """A C++ program that includes model/engine_api.h compiles by what pkg-config says of vidi-engine, and reads the model."""
        source = self.folder / "side.cpp"
        source.write_text(ENGINE_PROGRAM)
        program = self.folder / "side"
        self.run_there("c++", "-std=c++20", str(source), *self.pkg_config("--cflags", "--libs", "vidi-engine"), "-o", str(program))
        side = json.loads((self.model / "siglip-demo/config.json").read_text())["image_size"]
        self.assertEqual(self.run_there(str(program), str(self.model), LD_LIBRARY_PATH=str(self.find("libvidi.so").parent)), f"1 {side}\n")

    def test_header_names_what_is_posted(self):
        """Every field that the element posts is in vidi.h, and every name of vidi.h is one that the element has."""
        line = (f"uridecodebin uri={self.clip.as_uri()} name=d  vidifilter name=v query=dog window-duration=20000000000 "
                f"model-path={self.model} d. ! queue ! v.sink  d. ! queue ! v.audio_sink  v.src ! fakesink sync=false  "
                "v.json_src ! filesink location=hits.jsonl")
        self.run_there("gst-launch-1.0", "-q", *line.split(), GST_PLUGIN_PATH=str(self.plugins))
        objects = [json.loads(text) for text in (self.folder / "hits.jsonl").read_text().splitlines()]
        kinds = {"vidi/" + found["type"] for found in objects}
        self.assertLessEqual({"vidi/model", "vidi/result", "vidi/window"}, kinds)
        self.assertLessEqual(kinds, names("VIDI_MESSAGE_"))
        posted = {key.replace("_", "-") for found in objects for key in found} - {"type"}
        self.assertGreater(len(posted), 30)
        self.assertEqual(posted - names("VIDI_FIELD_"), set())

        product = "".join(path.read_text() for path in (cases.SOURCE / "gst").rglob("*.cpp"))
        macros = re.findall(r"^#define (VIDI_(?!SCHEMA)\w+)", HEADER.read_text(), re.M)
        self.assertEqual([macro for macro in macros if not re.search(rf"\b{macro}\b", product)], [])
        structures = (cases.SOURCE / "gst/results/structures.cpp").read_text()
        self.assertEqual(re.findall(r'fields(?:\.\w+)?\("[^"]*"', structures), [], "a field has no name in gst/vidi.h")


class Uninstall(unittest.TestCase):
    def test_it_leaves_nothing(self):
        """What `ninja uninstall` runs takes every file and folder away again."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        destination = pathlib.Path(folder.name) / "destination"
        install(type(self), destination)
        self.assertGreater(len(list(destination.rglob("*"))), 30)
        gone = subprocess.run([MESON, "--internal", "uninstall"], cwd=cases.BUILD, capture_output=True, text=True, timeout=cases.LIMIT_S)
        self.assertEqual(gone.returncode, 0, gone.stdout + gone.stderr)
        self.assertEqual(list(destination.rglob("*")), [])


if __name__ == "__main__":
    cases.main(__name__)
