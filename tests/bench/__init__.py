"""What it costs: the project's promises about speed and memory, measured against their alternatives in one run.

`python -m tests.bench` ends with one line per figure, `bar NAME VALUE LIMIT ok|short`. Figures are ratios between
programs that ran side by side on the same machine, on the same records; each program runs several times in fresh
processes, in turn, and counts with its median: a busy machine disturbs all of them alike.
"""
