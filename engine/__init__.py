"""Whetstone's engine: documents, library, answers, tuning, comparison; no window."""

__version__ = "0.1.0"
