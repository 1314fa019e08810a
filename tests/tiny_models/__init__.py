"""Builders of tiny models with random weights, each saved in the format of the library that loads it."""
