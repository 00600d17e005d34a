"""What importing costs: `... MODULE...` prints the CPU seconds of importing them, in a process that has nothing yet."""

from __future__ import annotations

import sys
import time
from importlib import import_module

if __name__ == "__main__":
    started = time.process_time()
    for name in sys.argv[1:]:
        import_module(name)
    print(f'{{"cpu": {time.process_time() - started}}}')
