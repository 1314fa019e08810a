"""Keeping engines honest: on the device that was asked for, stopped when they hang, rested when they fail, the same scores from the same seed."""

from workbench.guard.devices import assert_on

__all__ = ["assert_on"]
