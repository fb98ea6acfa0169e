"""Adapters: their files, the proof that they work, cards, import and export."""
