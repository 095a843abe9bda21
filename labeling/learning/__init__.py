"""The mathematics of labeling: arrays in, arrays or frozen dataclasses out. No Django, no torch."""
