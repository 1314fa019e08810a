"""Phone recognisers: which phones a stretch of audio holds, with their posteriors."""

from workbench.phones.base import PhonePosteriors, PhoneRecogniser, PhoneRequest

__all__ = ["PhonePosteriors", "PhoneRecogniser", "PhoneRequest"]
