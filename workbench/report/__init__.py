"""Reports: tables, players and figures for notebooks, and their export to one self-contained HTML file.

``html`` holds text, tables and the run's identity, ``players`` clips to listen to, ``figures`` the charts, ``export`` turns an executed
notebook into a page. ``verdict_style`` is the one place that says how a verdict is named, marked and coloured.
"""
