"""Comparing: exams, and what different ways of answering score in them."""
