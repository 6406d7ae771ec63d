#!/usr/bin/env python3
"""Makes one program of the modules of this folder: a zip file that Python runs. The same modules give the same bytes.

usage: make_program.py OUTPUT VERSION MODULE...
"""
import os
import pathlib
import sys
import zipfile

DATE = (1980, 1, 1, 0, 0, 0)


def main(output, version, *modules):
    contents = {pathlib.Path(module).name: pathlib.Path(module).read_bytes() for module in modules}
    contents["version.py"] = f"VERSION = {version!r}\n".encode()
    with open(output, "wb") as file:
        file.write(f"#!{sys.executable}\n".encode())
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(contents.items()):
                archive.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED)
    os.chmod(output, 0o755)


main(*sys.argv[1:])
