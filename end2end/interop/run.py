"""Runs every `test_*` function of the `test_*.py` files here, one after another, in one server and one warehouse.

Prints `ok NAME` or `FAILED NAME` for each (xtask counts these lines) and ends with status 1 if one failed. Words on the
command line choose the tests whose names hold one of them.
"""

import importlib
import inspect
import pathlib
import sys
import tempfile
import time
import traceback

from console import Console, Warehouse


def tests():
    for file in sorted(pathlib.Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(file.stem)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_") and function.__module__ == module.__name__:
                yield f"{file.stem.removeprefix('test_')}::{name.removeprefix('test_')}", function


def main():
    words = sys.argv[1:]
    n_failed = 0
    with tempfile.TemporaryDirectory(prefix="lakedeck-interop-") as folder, Console(pathlib.Path(folder)) as console:
        for name, function in tests():
            if words and not any(word in name for word in words):
                continue
            begun = time.monotonic()
            try:
                function(Warehouse(console, name.replace("::", "_")))
                print(f"ok {name} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception:  # noqa: BLE001
                n_failed += 1
                traceback.print_exc()
                print(f"FAILED {name}", flush=True)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
