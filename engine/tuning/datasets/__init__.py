"""Datasets: examples imported, split, checked and kept."""
