"""UTMOSv2 in its own environment: builds the network without its hub downloads, loads one checkpoint, scores clips.

The scores are those of ``UTMOSv2Model.predict`` (package utmosv2 1.3.1), called for one clip with numpy's generator seeded before. The
package draws the stretches it listens to at random: without the seed the same clip gets another score each time, and in a batch a score
would depend on its neighbours.
"""

import contextlib

import numpy as np

SAMPLE_RATE_HZ = 16000
CONFIG = "fusion_stage3"


class Utmosv2:
    """
    Args:
        weights: path of a checkpoint ``foldN_s42_best_model.pth``.
        seed: of the random stretches, the same for every clip.
        repetitions: draws per clip, averaged.
        remove_silent_section: leave out long silence first (``predict`` never does in 1.3.1: it resets its option before the clips are
        read).
        dataset: which listening test the score imitates.
        dtype: ``float32``, or ``float16`` for the package's own autocast on CUDA.
    """

    def __init__(self, weights, seed, repetitions, remove_silent_section, dataset, dtype):
        self.weights, self.seed, self.repetitions, self.dtype = weights, seed, repetitions, dtype
        self.remove_silent_section, self.dataset = remove_silent_section, dataset
        self.model = None

    def load(self, device):
        import torch
        import utmosv2

        torch.set_grad_enabled(False)
        with _no_downloads():
            model = utmosv2.create_model(pretrained=False, config=CONFIG)
        # Strict: every parameter comes from the checkpoint, so what the parts were built with does not matter.
        model.load_state_dict(torch.load(self.weights, map_location="cpu", weights_only=True))
        self.device = torch.device(device)
        self.model = model.eval().to(self.device)
        strays = {str(p.device) for p in model.parameters() if p.device.type != self.device.type}
        if strays:
            raise RuntimeError("parameters of UTMOSv2 are on {}, not on {}".format(", ".join(sorted(strays)), device))
        return {"utmosv2": utmosv2.__version__, "torch": torch.__version__}

    def score(self, clips):
        import torch

        drawn, found = [], []
        for clip in clips:
            try:
                drawn.append(self._draws(np.asarray(clip.samples, np.float32)))
                found.append(None)
            except Exception as error:  # noqa: BLE001  one clip's fault is its own
                found.append(error)
        means = iter(())
        if drawn:
            rows = [torch.stack(parts) for parts in zip(*(row for rows in drawn for row in rows))]
            with torch.autocast("cuda", dtype=torch.float16, enabled=self.dtype == "float16" and self.device.type == "cuda"):
                output = self.model(*(part.to(self.device) for part in rows)).squeeze(1)
            means = iter(output.float().cpu().numpy().reshape(len(drawn), self.repetitions).mean(axis=1))
        return [error if error is not None else {"utmosv2_mos": float(next(means))} for error in found]

    def _draws(self, samples):
        """``repetitions`` rows of the network's inputs, drawn in the order in which ``predict`` draws them."""
        from utmosv2.dataset._schema import InMemoryData
        from utmosv2.utils import get_dataset

        cfg = self.model._cfg
        cfg.dataset.remove_silent_section = self.remove_silent_section
        dataset = get_dataset(cfg, InMemoryData(samples, self.dataset), cfg.phase)
        np.random.seed(self.seed)
        return [dataset[0][:-1] for _ in range(self.repetitions)]

    def close(self):
        self.model = None


@contextlib.contextmanager
def _no_downloads():
    """Within it the parts of the network are built bare: the package would fetch pretrained ones from hubs, only to overwrite them with
    its checkpoint."""
    import timm
    import transformers
    import utmosv2.model.ssl as ssl

    class Bare:
        @staticmethod
        def from_pretrained(name):
            if name != "facebook/wav2vec2-base":
                raise ValueError("no bare form of {} is known".format(name))
            # wav2vec2-base is what the configuration's defaults describe.
            return transformers.Wav2Vec2Model(transformers.Wav2Vec2Config())

    class BareExtractor:
        @staticmethod
        def from_pretrained(name):
            return transformers.Wav2Vec2FeatureExtractor()

    create = timm.create_model
    kept = timm.create_model, ssl.AutoModel, ssl.AutoFeatureExtractor
    timm.create_model = lambda name, **options: create(name, **dict(options, pretrained=False))
    ssl.AutoModel, ssl.AutoFeatureExtractor = Bare, BareExtractor
    try:
        yield
    finally:
        timm.create_model, ssl.AutoModel, ssl.AutoFeatureExtractor = kept
