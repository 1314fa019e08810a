"""The benchmark of the statistics: see ``statistics_at_work``, which holds it. Run: ``python benchmarks/statistics.py``; the last line is one JSON object.

Python looks into a script's own folder first: whatever runs here and asks for the standard library's ``statistics`` finds this file, which hands that module over.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

if __name__ == "__main__":
    from statistics_at_work import main

    main()
else:
    elsewhere = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]
    found = importlib.machinery.PathFinder.find_spec("statistics", elsewhere)
    sys.modules["statistics"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(sys.modules["statistics"])
