"""pocketsphinx as front end: the cepstra that a decoder computed, read back from the folder it logs them to."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np

from workbench.errors import EngineUnavailableError
from workbench.stt.acoustic import FRAMES_PER_SEC, features
from workbench.stt.listening import SAMPLE_RATE_HZ


class LoggingDecoder:
    """A quiet decoder whose every utterance is independent of those before it, and whose features can be had afterwards.

    Raises:
        EngineUnavailableError: pocketsphinx is not installed.
    """

    def __init__(self, **settings: object) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError:
            raise EngineUnavailableError(
                "pocketsphinx is not installed", expected="the package pocketsphinx", mend="pip install pocketsphinx==5.1.1"
            ) from None
        self._folder = Path(tempfile.mkdtemp(prefix="workbench-cepstra-"))
        try:
            self.decoder = Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL", mfclogdir=str(self._folder), **settings)
        except BaseException:
            self.close()
            raise

    def hear(self, samples: np.ndarray, *, search: bool = True) -> np.ndarray:
        """Take in one utterance of 16 kHz samples (T,), float32 within -1..1; the decoder then holds its hypothesis.

        Args:
            search: False computes features only.

        Returns:
            Features, shape (3, frames, 13), 100 frames per second of audio.
        """
        # The noise estimate lives as long as the stream and would make results depend on the batch; the whole utterance at once takes the
        # mean of its own cepstra.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.decoder.start_stream()
        self.decoder.start_utt()
        self.decoder.process_raw((np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes(), no_search=not search, full_utt=True)
        self.decoder.end_utt()
        return self._features(len(samples))

    def _features(self, samples: int) -> np.ndarray:
        written = sorted(self._folder.glob("*.mfc"))
        try:
            # Big-endian, after a count.
            cepstra = np.frombuffer(written[-1].read_bytes(), dtype=">f4", offset=4).reshape(-1, 13).astype(np.float32)
        finally:
            for path in written:
                path.unlink()
        if not len(cepstra):
            return np.zeros((3, 0, 13), dtype=np.float32)
        # The last window ends before the last sample; in a recording cut into pieces the frames it lacks would shift every later piece.
        missing = samples * FRAMES_PER_SEC // SAMPLE_RATE_HZ - len(cepstra)
        return np.pad(features(cepstra), ((0, 0), (0, max(missing, 0)), (0, 0)), mode="edge")

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
