"""What runs on the other side in the tests: small engines that can fail in every way a real one does."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np


class Judging:
    """Scores mean and count; ``mode`` chooses how it misbehaves, ``marker`` is a file that makes it do so once only."""

    def __init__(self, mode, marker):
        self.mode, self.marker = mode, marker
        if mode == "refuse-options":
            raise TypeError("these options are not for me")

    def load(self, device):
        if self.mode == "import":
            import no_such_package_anywhere  # noqa: F401
        if self.mode == "die-loading":
            print("the last words of a loading child", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "hang-loading":
            time.sleep(600)

    def score(self, clips):
        if self.mode and self._now():
            self._misbehave(clips)
        if self.mode == "lose":
            return []
        return [self._one(clip.samples) for clip in clips]

    def _now(self):
        if not self.marker:
            return True
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def _misbehave(self, clips):
        if self.mode == "die":
            print("the last words of a dying child", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "hang":
            print("about to hang", file=sys.stderr)
            time.sleep(600)
        if self.mode == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.mode == "slow":
            time.sleep(2)
        if self.mode == "noise":
            print("noise from Python")
            ctypes.CDLL(None).puts(b"noise from C")
            ctypes.CDLL(None).fflush(None)
            os.write(1, b"\x00" * 100000)
            subprocess.run(["echo", "noise from a program"], check=True)
            sys.stdin.read()
        if self.mode == "flood":
            for _ in range(40):
                sys.stderr.write("flood " * 30000 + "\n")
                time.sleep(0.05)
            print("the end of the flood", file=sys.stderr)
        if self.mode == "raise":
            raise ValueError("these clips are beyond me")
        if self.mode == "audio":
            raise type("AudioError", (Exception,), {})("a clip that cannot be judged")
        if self.mode == "memory" and len(clips) > 4:
            raise MemoryError("only four fit")
        if self.mode == "exit":
            sys.exit("a library that leaves")
        if self.mode == "garbage":
            for descriptor in range(3, 20):
                try:
                    os.write(descriptor, b"\xff" * 64)
                except OSError:
                    pass

    def _one(self, samples):
        if self.mode == "nan":
            return {"mean": float("nan"), "count": len(samples)}
        if self.mode == "columns":
            return {"other": 1.0}
        if self.mode == "seen":
            return ValueError(json.dumps({"variables": sorted(os.environ), "path": sys.path, "threads": os.environ.get("OMP_NUM_THREADS")}))
        if self.mode == "nans":
            return {"mean": float(np.isnan(samples).sum()), "count": float(np.isinf(samples).sum())}
        if len(samples) == 1:
            return ValueError("one sample is no clip")
        return {"mean": float(samples.astype(np.float64).mean()) if len(samples) else 0.0, "count": len(samples)}


class Hearing:
    """Hears a word per 0.1 s, or what the reference says."""

    def load(self, device):
        pass

    def transcribe(self, requests):
        return [self._one(request["audio"], request["reference"]) for request in requests]

    def _one(self, audio, reference):
        count = int(10 * len(audio.samples) / audio.sample_rate_hz)
        words = [[reference[k] if k < len(reference) else "word", k / 10, (k + 1) / 10, None if k else 0.5] for k in range(count)]
        return {"words": words, "confidence_method": "constant"}


class Speaking:
    """A tone per letter."""

    def load(self, device):
        pass

    def voices(self):
        return ["low", "high"]

    def speak(self, requests):
        return [self._one(request) for request in requests]

    def _one(self, request):
        if not request["text"]:
            return ValueError("nothing to say")
        times = np.arange(int(800 * len(request["text"]) / request["speed"])) / 8000
        return {
            "samples": np.sin(2 * np.pi * {"low": 110, "high": 440}[request["voice"]] * times).astype(np.float32),
            "sample_rate_hz": 8000,
        }
