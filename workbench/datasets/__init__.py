"""Datasets side by side: what they hold, what is wrong in them, what a rule keeps of them, and the filtered manifest."""
