"""Benchmarks: `make bench`, or one alone with `python -m tests.benchmarks NAME`.

A benchmark is a module of this package with `main()`. It may print what it likes and returns
its figures as a list of rows, `{"name": …, "value": …, "unit": …}`; `low` and `high` give an
interval, `note` a remark. Ratios within one run say more than absolute times: machines are
noisy. `FULL=1` in the environment asks for every question instead of a seeded sample.
"""
