"""Settings: values in, frozen and checked records out. A record that exists is valid.

Environment: BEARINGS_HOME (workspace folder), BEARINGS_PROFILE (laptop or class), BEARINGS_ENGINE (address of an
engine elsewhere), BEARINGS_MAX_UPLOAD_MB, BEARINGS_ALLOW_HOSTS (private hosts that pictures may be fetched from),
BEARINGS_API_PER_MINUTE and BEARINGS_API_MAX_MB (how many pictures, and how large, a program may send).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import SettingsError

PROFILES = ("laptop", "class")
AUGMENT_PRESETS = ("none", "photos", "top_down")
WEIGHTS = ("pretrained", "random")
PRECISIONS = ("auto", "float32", "bfloat16")
BALANCES = ("none", "weights", "oversample")
STAGE_DATA = ("all", "mistakes")
LAYER_GROUPS = 3  # early body, late body, head: every backbone is cut so
STAGES_MAX = 20
_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")

Rate = float | tuple[float | None, float]


def _require(condition: bool, message: str, hint: str) -> None:
    if not condition:
        raise SettingsError(message, hint=hint)


@dataclass(frozen=True)
class AppSettings:
    """Where the workspace lies and how the app is served.

    `allow_hosts` ("host" or "host:port") are fetched from although they lie inside a private network. `api_per_minute`:
    predictions that one person may ask for through the API; `api_max_mb`: size of one picture there.
    """

    home: Path
    profile: str = "laptop"
    engine: str | None = None
    max_upload_mb: int = 200
    allow_hosts: tuple[str, ...] = ()
    api_per_minute: int = 300
    api_max_mb: int = 20

    def __post_init__(self) -> None:
        _require(
            self.profile in PROFILES,
            f"BEARINGS_PROFILE is {self.profile!r}; it must be one of {', '.join(PROFILES)}.",
            "Leave it out for one person on a laptop.",
        )
        _require(
            self.engine is None or self.engine.startswith("tls://"),
            f"BEARINGS_ENGINE is {self.engine!r}; an engine elsewhere is reached by tls:// only.",
            "Write tls://host:8786, or leave it out to start an engine here.",
        )
        _require(
            1 <= self.max_upload_mb <= 2000,
            f"BEARINGS_MAX_UPLOAD_MB is {self.max_upload_mb}; it must lie between 1 and 2000.",
            "200 is the usual value.",
        )
        _require(
            1 <= self.api_per_minute <= 100_000,
            f"BEARINGS_API_PER_MINUTE is {self.api_per_minute}; it must lie between 1 and 100000.",
            "300 is the usual value.",
        )
        _require(
            1 <= self.api_max_mb <= 50,
            f"BEARINGS_API_MAX_MB is {self.api_max_mb}; it must lie between 1 and 50.",
            "20 is the usual value.",
        )
        for host in self.allow_hosts:
            found = _HOST.fullmatch(host)
            _require(
                found is not None and 0 < int(found[1] or 80) < 65_536,
                f"BEARINGS_ALLOW_HOSTS has {host!r}; each entry is a host, or a host, a colon and a port.",
                "For example intranet.school or 10.1.2.3:8080, with commas between them.",
            )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> AppSettings:
        """Read the settings from `environ` (the process environment when left out)."""
        env = os.environ if environ is None else environ
        home = env.get("BEARINGS_HOME") or "~/.bearings"
        return cls(
            home=Path(home).expanduser().absolute(),
            profile=env.get("BEARINGS_PROFILE") or "laptop",
            engine=env.get("BEARINGS_ENGINE") or None,
            max_upload_mb=_whole(env, "BEARINGS_MAX_UPLOAD_MB", 200),
            allow_hosts=tuple(host.strip() for host in env.get("BEARINGS_ALLOW_HOSTS", "").split(",") if host.strip()),
            api_per_minute=_whole(env, "BEARINGS_API_PER_MINUTE", 300),
            api_max_mb=_whole(env, "BEARINGS_API_MAX_MB", 20),
        )


def _whole(env: Mapping[str, str], name: str, usual: int) -> int:
    """A setting that is a whole number; the usual one when it is not set."""
    found = env.get(name, str(usual))
    _require(found.isdecimal(), f"{name} is {found!r}; it must be a whole number.", f"For example {usual}.")
    return int(found)


@dataclass(frozen=True)
class ImportSettings:
    """How an import splits its pictures. `valid_share` in (0, 0.9], `seed` any whole number from 0."""

    valid_share: float = 0.2
    seed: int = 42

    def __post_init__(self) -> None:
        _require(
            0 < self.valid_share <= 0.9,
            f"The validation share is {self.valid_share:g}; it must lie above 0 and at most 0.9.",
            "0.2 keeps every fifth picture for validation.",
        )
        _check_seed(self.seed)


@dataclass(frozen=True)
class Stage:
    """A stretch of training under one schedule.

    `lr` is one rate for all layer groups, or (low, high) for a geometric spread over them; (None, high) gives
    high/10 to all but the last group. With `find_lr` a range test comes first, and its answer becomes the low end.
    `freeze_to`: the first layer group that learns: 0 is everything, 2 (or -1) the head alone. `schedule` names a
    schedule and `options` are its own, such as {"cycle_mult": 2}. `augment` names a preset; `mixup` is the alpha of its
    Beta distribution, `label_smoothing` the share that is spread over all classes, `balance` what is done about classes
    of unequal size, `data` which pictures are learned: all of them, or the set of mistakes among as many others.
    What is None is taken from the run: `image_size` (pixels), `batch_size`, `weight_decay`, `dropout`, `precision`.
    """

    epochs: int = 4
    lr: Rate = 3e-3
    freeze_to: int = -1
    schedule: str = "one_cycle"
    options: Mapping[str, float] = field(default_factory=dict)
    find_lr: bool = False
    augment: str = "none"
    mixup: float = 0.0
    label_smoothing: float = 0.0
    balance: str = "none"
    data: str = "all"
    image_size: int | None = None
    batch_size: int | None = None
    weight_decay: float | None = None
    dropout: float | None = None
    precision: str | None = None

    def __post_init__(self) -> None:
        _require(
            1 <= self.epochs <= 1000,
            f"{self.epochs} epochs were asked for; a stage has 1 to 1000.",
            "Four is a good first number.",
        )
        self._check_rates()
        _require(
            self.freeze_to in range(-1, LAYER_GROUPS),
            f"Layers were to be frozen up to group {self.freeze_to}; groups are numbered from 0 to {LAYER_GROUPS - 1}.",
            "0 trains all of them, 2 or -1 the head alone.",
        )
        for name, chosen, known in (
            ("augmentation", self.augment, AUGMENT_PRESETS),
            ("balance", self.balance, BALANCES),
            ("choice of pictures", self.data, STAGE_DATA),
        ):
            _require(
                chosen in known,
                f"The {name} {chosen!r} is not known; there are {', '.join(known)}.",
                f"{known[0]!r} is the usual one.",
            )
        _require(
            self.data == "all" or self.balance != "oversample",
            "A stage of mistakes cannot show small classes more often: it shows every mistake once in an epoch.",
            "Weight the classes instead, or leave them as they are.",
        )
        _require(
            isinstance(self.options, Mapping),
            f"The options of the schedule are {self.options!r}; they must be names with their values.",
            "Leave them out for the usual ones.",
        )
        _require(
            0 <= self.mixup <= 10,
            f"The mixup is {self.mixup}; it must lie between 0 and 10.",
            "0 mixes nothing, 0.4 is a usual value.",
        )
        _require(
            0 <= self.label_smoothing < 1,
            f"The label smoothing is {self.label_smoothing}; it must be 0 or more and less than 1.",
            "0.1 is the usual value.",
        )
        _check_shared(self)

    def _check_rates(self) -> None:
        _require(
            not isinstance(self.lr, tuple) or len(self.lr) == 2,
            f"The spread of rates {self.lr} does not have two ends.",
            "Give one rate, or a first and a last one.",
        )
        low, high = self.lr if isinstance(self.lr, tuple) else (None, self.lr)
        for rate in (high,) if low is None else (high, low):
            _require(
                rate is not None and math.isfinite(rate) and 0 < rate <= 1e6,
                f"The learning rate is {rate}; it must be a number above 0.",
                "0.003 is a good first rate for a frozen model.",
            )
        _require(
            low is None or low <= high,
            f"The spread of rates runs from {low} to {high}; the first must not be the larger one.",
            "The early layers need the smaller rate.",
        )

    @property
    def lr_max(self) -> float:
        """The rate of the last layer group."""
        return self.lr[1] if isinstance(self.lr, tuple) else self.lr

    @property
    def first_group(self) -> int:
        """The number of the first layer group that learns, from 0."""
        return self.freeze_to % LAYER_GROUPS

    @property
    def frozen(self) -> bool:
        """Whether the whole body is frozen, so that the head alone learns."""
        return self.first_group == LAYER_GROUPS - 1

    @property
    def cached(self) -> bool:
        """Whether activations can be computed once: the body is frozen and every epoch sees the same pictures."""
        return self.frozen and self.augment == "none" and self.mixup == 0


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides the numbers of a run, besides the data. `image_size` is in pixels.

    `train_share` of the training pictures are used, the same ones for the same seed. With `keep_best` a stage ends
    with the weights of its epoch of the lowest validation loss. `patience`: a stage ends after so many epochs without
    a lower one; 0 never stops early.
    """

    stages: tuple[Stage, ...] = field(default_factory=lambda: (Stage(),))
    backbone: str = "lite0"
    weights: str = "pretrained"
    image_size: int = 224
    batch_size: int = 64
    weight_decay: float = 0.01
    dropout: float = 0.5
    seed: int = 42
    precision: str = "auto"
    device: str = "auto"
    train_share: float = 1.0
    keep_best: bool = False
    patience: int = 0

    def __post_init__(self) -> None:
        _require(len(self.stages) > 0, "A run needs at least one stage.", "Add one with four epochs.")
        _require(
            len(self.stages) <= STAGES_MAX,
            f"The run has {len(self.stages)} stages; it may have {STAGES_MAX}.",
            "Go on from its last checkpoint in a second run.",
        )
        _require(
            self.weights in WEIGHTS,
            f"The weights {self.weights!r} are not known; there are {', '.join(WEIGHTS)}.",
            "'pretrained' starts from what ImageNet taught the body.",
        )
        _check_shared(self)
        _require(
            0 < self.train_share <= 1,
            f"The share of training pictures is {self.train_share}; it must lie above 0 and at most 1.",
            "1 uses all of them.",
        )
        _require(
            isinstance(self.patience, int) and 0 <= self.patience <= 1000,
            f"The patience is {self.patience} epochs; it must be a whole number from 0 to 1000.",
            "0 never stops early.",
        )
        _check_seed(self.seed)

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(stage.epochs for stage in self.stages)

    def resolve(self, stage: Stage) -> Stage:
        """A stage with nothing left open: what it does not say itself is the run's."""
        return replace(stage, **{name: getattr(self, name) for name in _SHARED if getattr(stage, name) is None})

    @property
    def resolved(self) -> tuple[Stage, ...]:
        """All stages, each with nothing left open."""
        return tuple(self.resolve(stage) for stage in self.stages)


_SHARED = ("image_size", "batch_size", "weight_decay", "dropout", "precision")


def _check_shared(settings: Stage | TrainSettings) -> None:
    """What a run decides and a stage may decide otherwise; None leaves it open."""
    size, batch = settings.image_size, settings.batch_size
    decay, dropout, precision = settings.weight_decay, settings.dropout, settings.precision
    _require(
        size is None or (32 <= size <= 512 and size % 32 == 0),
        f"The image size is {size}; it must be a multiple of 32 from 32 to 512.",
        "224 is the usual size.",
    )
    _require(
        batch is None or 2 <= batch <= 4096,
        f"The batch size is {batch}; it must lie between 2 and 4096.",
        "64 is the usual size.",
    )
    _require(
        decay is None or 0 <= decay < 1,
        f"The weight decay is {decay}; it must lie between 0 and 1.",
        "0.01 is the usual value.",
    )
    _require(
        dropout is None or 0 <= dropout < 1,
        f"The dropout is {dropout}; it must lie between 0 and 1.",
        "0.5 is the usual value.",
    )
    _require(
        precision is None or precision in PRECISIONS,
        f"The precision {precision!r} is not known; there are {', '.join(PRECISIONS)}.",
        "'auto' picks the fastest that is safe.",
    )


def _check_seed(seed: int) -> None:
    _require(
        isinstance(seed, int) and 0 <= seed < 2**32,
        f"The seed is {seed}; it must be a whole number from 0 to 4294967295.",
        "42 is as good as any.",
    )


def to_record(settings: TrainSettings) -> dict[str, Any]:
    """Settings as plain JSON values."""
    return asdict(settings)


def from_record(record: Mapping[str, Any]) -> TrainSettings:
    """Inverse of `to_record`; unknown or wrong values raise SettingsError."""
    try:
        values = dict(record)
        stages = tuple(stage_from_record(stage) for stage in values.pop("stages", ()))
        return TrainSettings(stages=stages, **values)
    except (TypeError, AttributeError) as error:
        raise SettingsError(f"These training settings cannot be read: {error}.", hint="Start a new run.") from error


def stage_from_record(record: Mapping[str, Any]) -> Stage:
    """A stage from plain JSON values, also as runs wrote it that could only freeze all of the body or none of it."""
    values = dict(record)
    if "frozen" in values:
        values["freeze_to"] = -1 if values.pop("frozen") else 0
    lr = values.get("lr", 3e-3)
    return Stage(**{**values, "lr": tuple(lr) if isinstance(lr, list) else lr})
