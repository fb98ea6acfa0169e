"""Training: examples become tokens, tokens become packs, packs become an adapter."""
