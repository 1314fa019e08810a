"""``Clip`` and ``Manifest``: every source of clips in, one stream of clips out."""

from workbench.clips.base import Clip, load_audio
from workbench.clips.manifest import KINDS, Manifest, open_manifest

__all__ = ["KINDS", "Clip", "Manifest", "load_audio", "open_manifest"]
