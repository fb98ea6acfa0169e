"""Tuning: examples, training methods, adapters and the proof that they do what they learnt."""
