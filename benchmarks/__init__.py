"""What the project times: ``make bench``, or ``python -m benchmarks.run training floor`` for some of it.

Speeds differ from machine to machine and from minute to minute; what holds is a ratio of runs in turn. One module a
question, each with ``measure(setting)``; the answers go to ``results.json``,
those about pages to ``pages.json`` (``make bench-page``).
"""
