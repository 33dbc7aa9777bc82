"""A project as a benchmark: its labels as truth, its raters as what is measured. Reads only; scoring/evaluations.py
is the way in."""
