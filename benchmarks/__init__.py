"""Measurements of speed and memory, run by `make bench`. Figures of one run on one machine only."""
