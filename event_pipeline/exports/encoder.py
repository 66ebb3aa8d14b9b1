"""``python -m event_pipeline.exports.encoder FORMAT``: an Arrow stream in, the file's bytes out.

A process of its own, so that whoever asked for a file goes on answering others meanwhile; it knows no settings, opens
nothing but temporary files, and steps back behind other processes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pyarrow as pa

from event_pipeline.exports.formats import FORMATS, FormatName
from event_pipeline.exports.writer import WriteOptions

_NICENESS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when everything was written, 1 with the reason on standard error when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m event_pipeline.exports.encoder", description=__doc__)
    parser.add_argument("format", choices=FORMATS)
    parser.add_argument("--byte-order-mark", action="store_true", help="begin CSV with one")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files")
    chosen = parser.parse_args(arguments)
    os.nice(_NICENESS)
    options = WriteOptions(chosen.byte_order_mark, chosen.scratch)
    try:
        with pa.ipc.open_stream(sys.stdin.buffer) as batches:
            for chunk in FORMATS[cast("FormatName", chosen.format)].write(batches.schema, batches, options):
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
