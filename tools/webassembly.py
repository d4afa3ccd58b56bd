"""Compiles ``product.wat``, by wat2wasm of npm's wabt, into ``product.js``; with ``--check`` says whether it stands there.

python tools/webassembly.py [--check] WAT2WASM
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import tempfile
from pathlib import Path

JS = Path(__file__).parents[1] / "aae_core" / "explorers" / "js"
CODE = re.compile(r'(?<=const CODE =\n  ")[^"]*')


def compiled(wat2wasm: str, source: Path) -> str:
    """The bytes of a module in base64."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "module.wasm"
        subprocess.run([wat2wasm, str(source), "--output", str(out)], check=True)
        return base64.b64encode(out.read_bytes()).decode()


def main(arguments: list[str]) -> int:
    """Writes the module, or compares it; 1 if it is another."""
    *options, wat2wasm = arguments
    module = JS / "product.js"
    before = module.read_text("utf-8")
    after = CODE.sub(compiled(wat2wasm, JS / "product.wat"), before)
    if options == ["--check"]:
        if after != before:
            print(
                "product.js does not hold what product.wat says: python tools/webassembly.py WAT2WASM", file=sys.stderr
            )
        return int(after != before)
    module.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
