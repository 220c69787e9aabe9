"""Settings: values in, frozen and checked records out. A record that exists is valid.

Environment: BEARINGS_HOME (workspace folder), BEARINGS_PROFILE (laptop or class), BEARINGS_ENGINE (address of an
engine elsewhere), BEARINGS_MAX_UPLOAD_MB, BEARINGS_ALLOW_HOSTS (private hosts that pictures may be fetched from).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import SettingsError

PROFILES = ("laptop", "class")
AUGMENT_PRESETS = ("none", "photos", "top_down")
WEIGHTS = ("pretrained", "random")
PRECISIONS = ("auto", "float32", "bfloat16")
_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")

Rate = float | tuple[float | None, float]


def _require(condition: bool, message: str, hint: str) -> None:
    if not condition:
        raise SettingsError(message, hint=hint)


@dataclass(frozen=True)
class AppSettings:
    """Where the workspace lies and how the app is served.

    `allow_hosts` ("host" or "host:port") are fetched from although they lie inside a private network.
    """

    home: Path
    profile: str = "laptop"
    engine: str | None = None
    max_upload_mb: int = 200
    allow_hosts: tuple[str, ...] = ()

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
        upload = env.get("BEARINGS_MAX_UPLOAD_MB", "200")
        _require(
            upload.isdecimal(), f"BEARINGS_MAX_UPLOAD_MB is {upload!r}; it must be a whole number.", "For example 200."
        )
        home = env.get("BEARINGS_HOME") or "~/.bearings"
        return cls(
            home=Path(home).expanduser().absolute(),
            profile=env.get("BEARINGS_PROFILE") or "laptop",
            engine=env.get("BEARINGS_ENGINE") or None,
            max_upload_mb=int(upload),
            allow_hosts=tuple(host.strip() for host in env.get("BEARINGS_ALLOW_HOSTS", "").split(",") if host.strip()),
        )


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
    high/10 to all but the last group. `frozen` trains the head alone. `augment` names a preset.
    """

    epochs: int = 4
    lr: Rate = 3e-3
    frozen: bool = True
    schedule: str = "one_cycle"
    augment: str = "none"

    def __post_init__(self) -> None:
        _require(
            1 <= self.epochs <= 1000,
            f"{self.epochs} epochs were asked for; a stage has 1 to 1000.",
            "Four is a good first number.",
        )
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
        _require(
            self.augment in AUGMENT_PRESETS,
            f"The augmentation {self.augment!r} is not known; there are {', '.join(AUGMENT_PRESETS)}.",
            "'photos' suits ordinary pictures.",
        )

    @property
    def lr_max(self) -> float:
        """The rate of the last layer group."""
        return self.lr[1] if isinstance(self.lr, tuple) else self.lr

    @property
    def cached(self) -> bool:
        """Whether activations can be computed once: the body is frozen and every epoch sees the same pictures."""
        return self.frozen and self.augment == "none"


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides the numbers of a run, besides the data. `image_size` is in pixels."""

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

    def __post_init__(self) -> None:
        _require(len(self.stages) > 0, "A run needs at least one stage.", "Add one with four epochs.")
        _require(
            self.weights in WEIGHTS,
            f"The weights {self.weights!r} are not known; there are {', '.join(WEIGHTS)}.",
            "'pretrained' starts from what ImageNet taught the body.",
        )
        _require(
            32 <= self.image_size <= 512 and self.image_size % 32 == 0,
            f"The image size is {self.image_size}; it must be a multiple of 32 from 32 to 512.",
            "224 is the usual size.",
        )
        _require(
            2 <= self.batch_size <= 4096,
            f"The batch size is {self.batch_size}; it must lie between 2 and 4096.",
            "64 is the usual size.",
        )
        _require(
            0 <= self.weight_decay < 1,
            f"The weight decay is {self.weight_decay}; it must lie between 0 and 1.",
            "0.01 is the usual value.",
        )
        _require(
            0 <= self.dropout < 1,
            f"The dropout is {self.dropout}; it must lie between 0 and 1.",
            "0.5 is the usual value.",
        )
        _require(
            self.precision in PRECISIONS,
            f"The precision {self.precision!r} is not known; there are {', '.join(PRECISIONS)}.",
            "'auto' picks the fastest that is safe.",
        )
        _check_seed(self.seed)

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(stage.epochs for stage in self.stages)


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
        stages = []
        for stage in values.pop("stages", ()):
            lr = stage.get("lr", 3e-3)
            stages.append(Stage(**{**stage, "lr": tuple(lr) if isinstance(lr, list) else lr}))
        return TrainSettings(stages=tuple(stages), **values)
    except (TypeError, AttributeError) as error:
        raise SettingsError(f"These training settings cannot be read: {error}.", hint="Start a new run.") from error


PRESETS: dict[str, str] = {
    "standard": "The head alone, on activations computed once: seconds on a laptop.",
    "augmented": "The head alone, on pictures that are flipped, turned and lit anew in every epoch.",
    "fine_tune": "First the head alone, then as many epochs with all layers, the early ones at smaller rates.",
}


def preset(name: str, *, epochs: int = 4, lr: float = 3e-3) -> tuple[Stage, ...]:
    """Stages of a named preset for `epochs` epochs at rate `lr`; the names are the keys of PRESETS."""
    if name == "standard":
        return (Stage(epochs=epochs, lr=lr),)
    if name == "augmented":
        return (Stage(epochs=epochs, lr=lr, augment="photos"),)
    if name == "fine_tune":
        unfrozen = Stage(epochs=epochs, lr=(lr / 100, lr / 10), frozen=False, augment="photos")
        return (Stage(epochs=epochs, lr=lr), unfrozen)
    raise SettingsError(
        f"The preset {name!r} is not known; there are {', '.join(PRESETS)}.", hint="Use 'standard' first."
    )
