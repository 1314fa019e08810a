"""What a scan computes: its stages in order, each with the fingerprint under which its results are kept."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench import engines
from workbench.config import Config, DatabasePlace
from workbench.errors import ConfigError
from workbench.scan.cascade import Cascade
from workbench.scan.commercial import refuse_non_commercial
from workbench.scan.stages import CallLimits, StagePlan, WorkPlan, fingerprint
from workbench.store import Store
from workbench.store.connecting import database_url
from workbench.store.database import PATIENCE_SEC

#: Raised when a stage's own code changes what it stores, so that old results are computed again.
STAGE_CODE_VERSION = {"fast": 1, "precision": 1, "judge": 1}


class ScanSettings(Config):
    """Which engines hear and judge, and how the work is spread.

    Attributes:
        order: ``stream`` takes every clip through all stages, ``batch`` each stage over all clips, so that one model is in memory at a time.
        max_attempts: tries of a clip that an engine fails on, the first included; then it is left alone and listed.
        batch_timeout_sec: an engine call may take so long, and ``batch_timeout_per_audio_sec`` more for each second of audio in it; then its worker process is
            ended and the call is an error of the clip that hung. None lets calls hang.
        breaker_failures: an engine that failed on so many clips in a row rests; None never rests one.
        breaker_rest_sec: for so long; then a single clip probes it. Clips met meanwhile are left for another run.
        seed: of the random draws that engines and control samples make.
        runner: ``local`` (processes on this machine) or ``ray``.
        ray_address: of a running cluster; empty starts a Ray of its own on this machine.
        ray_folder: where shards of clips and their results lie, on storage that every machine of the cluster sees under this path.
        ray_shard_clips: about so many clips are sent to a machine and come back together.
        ray_gpus: cards for each worker of an engine on CUDA, 0.5 lets two share one; None gives a whole one to each if there are enough.
    """

    fast: str = "pocketsphinx"
    precision: str | None = "pocketsphinx-grammar"
    judges: tuple[str, ...] = ("signal", "dnsmos")
    engine_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    commercial: bool = False
    order: Literal["stream", "batch"] = "stream"
    device: str = "cpu"
    workers: int = Field(2, ge=1, le=256)
    batch_clips: int = Field(4, ge=1, le=1024)
    max_attempts: int = Field(3, ge=1)
    batch_timeout_sec: float | None = Field(300.0, gt=0)
    breaker_failures: int | None = Field(5, ge=1)
    breaker_rest_sec: float = Field(60.0, ge=0)
    seed: int = 1
    runner: Literal["local", "ray"] = "local"
    ray_address: str = ""
    ray_folder: str = "outputs/ray"
    ray_shard_clips: int = Field(64, ge=1)
    ray_gpus: float | None = Field(None, gt=0)


class ScanConfig(ScanSettings):
    """What a scan does.

    Attributes:
        cascade: which clips go on to which stage.
        load_timeout_sec: allowed on top for the call that first loads its engine.
    """

    cascade: Cascade = Cascade()
    batch_timeout_per_audio_sec: float = Field(5.0, ge=0)
    load_timeout_sec: float = Field(900.0, ge=0)


class ScanParameters(ScanSettings, Cascade):
    """A scan's parameters in one row, as notebooks and the command line take them; ``ScanSettings`` and ``Cascade`` say what each means.

    Attributes:
        database: where the results go, a file or a URL without a password.
        database_patience_sec: how long a database that went away is waited for, before the run stops.
    """

    database: DatabasePlace = "outputs/workbench.sqlite"
    database_patience_sec: float = Field(PATIENCE_SEC, ge=0)

    def cascade(self) -> Cascade:
        """Which clips go on to which engine."""
        return Cascade(**{name: getattr(self, name) for name in Cascade.model_fields})

    def scan_config(self) -> ScanConfig:
        same = {name: getattr(self, name) for name in ScanSettings.model_fields}
        return ScanConfig(**same, cascade=self.cascade())


#: Parameters under which a scan's results may be taken up again, as they say how the work is done.
HOW_THE_WORK_IS_DONE = frozenset({
    "workers", "batch_clips", "order", "max_attempts", "batch_timeout_sec", "breaker_failures", "breaker_rest_sec", "runner", "ray_address", "ray_folder",
    "ray_shard_clips", "ray_gpus", "database_patience_sec",
})


def plan_stages(config: ScanConfig) -> tuple[StagePlan, ...]:
    """The stages of a scan, every engine checked to exist and to be installed before any clip is touched.

    Raises:
        UnknownNameError, EngineUnavailableError, ConfigError: naming the engine and how to mend it; with ``commercial`` also every
            engine whose licence forbids that.
    """
    names = [config.fast, *([config.precision] if config.precision else []), *config.judges]
    unused = sorted(set(config.engine_options) - set(names))
    if unused:
        raise ConfigError("options for engines that are not in the scan", where="engine_options", got=unused, expected=f"names among {names}")
    if config.commercial:
        refuse_non_commercial(used_engines(config), config.engine_options)
    fast = _stage("fast", "stt", config.fast, config, code="fast")
    if fast.needs_reference:
        raise ConfigError(f"{config.fast!r} weighs the reference, it cannot be the first to listen", where="fast", mend="name it as precision")
    stages = [fast]
    if config.precision:
        stages.append(_stage("precision", "stt", config.precision, config, code="precision", first=fast.fingerprint))
    elif config.cascade.escalate == "words":
        raise ConfigError("there is no precision engine to hear the words in doubt", where="escalate", got="words", mend="name a precision engine")
    stages += [_stage(name, "judge", name, config, code="judge") for name in dict.fromkeys(config.judges)]
    return tuple(stages)


def work_plan(config: ScanConfig, stages: tuple[StagePlan, ...], store: Store) -> WorkPlan:
    """What the workers of a scan are told.

    Raises:
        ConfigError: a cluster and a database in a file.
    """
    if config.runner == "ray" and config.ray_address and database_url(store.url).get_backend_name() == "sqlite":
        mend = "name a database that every machine reaches: postgresql://..."
        raise ConfigError("a cluster needs PostgreSQL", where="the results database", got=store.shown, mend=mend)
    return WorkPlan(
        stages=stages,
        cascade=config.cascade,
        store_url=store.url,
        store_patience_sec=store.patience_sec,
        device=config.device,
        max_attempts=config.max_attempts,
        limits=CallLimits(config.batch_timeout_sec, config.batch_timeout_per_audio_sec, config.load_timeout_sec),
        seed=config.seed,
        breaker_failures=config.breaker_failures,
        breaker_rest_sec=config.breaker_rest_sec,
    )


def used_engines(config: ScanConfig) -> list[tuple[engines.Kind, str]]:
    """Kind and name of every engine of a scan, in order."""
    listening = [config.fast, *([config.precision] if config.precision else [])]
    return [*(("stt", name) for name in listening), *(("judge", name) for name in config.judges)]


def _stage(name: str, kind: engines.Kind, engine_name: str, config: ScanConfig, *, code: str, first: str | None = None) -> StagePlan:
    options = config.engine_options.get(engine_name, {})
    engine = engines.create(engine_name, kind, **options)
    device = engines.device_of(engine_name, kind, config.device).partition(":")[0]
    needs_reference, stochastic = "reference" in engines.info(engine_name, kind).needs, getattr(engine, "stochastic", False)
    identity = engine.identity()
    by_word = name == "precision" and config.cascade.escalate == "words"
    reads_text = needs_reference or by_word
    print_of = fingerprint(
        stage=name,
        engine=engine_name,
        identity=identity,
        code=STAGE_CODE_VERSION[code],
        # Only an engine that reads the first transcript, or hears what that left in doubt, depends on who made it.
        first=first if reads_text else None,
        # Only an engine that draws at random depends on the seed.
        **({"seed": config.seed} if stochastic else {}),
        # What was heard in stretches depends on how they were cut.
        **({"by_word": config.cascade.model_dump(include={"word_confidence", "context_words", "margin_sec"})} if by_word else {}),
        # Only an engine that chooses its number format by the device depends on that.
        **({"device": device} if identity.get("dtype") == "auto" and device != "cpu" else {}),
    )
    gated = kind == "judge" and getattr(engine, "primary", None) is not None
    return StagePlan(name, kind, engine_name, print_of, tuple(sorted(options.items())), needs_reference, stochastic, gated, reads_text)
