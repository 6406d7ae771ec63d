#!/usr/bin/env python3
"""Puts page.html, its style and its scripts together as C++ source: make_page.py OUTPUT make_page.py page.html page.css NAME.js...

The policy of the page names the hashes of the style and the script, so nothing else in it is ever run. What the program
fills in later ({{TITLE}}, {{DATA}}, {{PROXY}}) cuts the text into pieces."""
import base64
import hashlib
import pathlib
import re
import sys



def source_hash(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def policy(style, script):
    return ("default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"script-src {source_hash(script)}; style-src {source_hash(style)}; "
            "media-src file: data: blob:; img-src file: data: blob:")


def literal(text):
    """As adjacent C string literals, a line each; what is not ASCII as UTF-8 in octal."""
    def quoted(line):
        safe = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("?", "\\?").encode()
        return '"' + "".join(chr(byte) if byte < 128 else f"\\{byte:03o}" for byte in safe) + '"'
    return "\n    ".join(quoted(line) for line in text.splitlines(keepends=True)) or '""'


def main(output, _, page, style, *scripts):  # itself: what the build watches
    read = [pathlib.Path(name).read_text(encoding="utf-8") for name in (page, style, *scripts)]
    text, css = read[0], read[1]
    script = '"use strict";\n(() => {\n' + "\n".join(read[2:]) + "start();\n})();\n"
    assert not re.search("</script|<!--", script, re.IGNORECASE), "what an HTML parser would see in the script"
    text = text.replace("{{POLICY}}", policy(css, script)).replace("{{STYLE}}", css).replace("{{SCRIPT}}", script)
    parts = re.split(r"\{\{(TITLE|DATA|PROXY)\}\}", text) + [""]
    pieces = [f"  {{{literal(parts[i])},\n    \"{parts[i + 1]}\"}}," for i in range(0, len(parts), 2)]
    pathlib.Path(output).write_text('#include "examples/page/page_template.h"\n\nconst std::vector<PagePiece> kPageTemplate = {\n'
                                    + "\n".join(pieces) + "\n};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
