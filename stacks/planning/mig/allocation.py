"""How the GPUs of a pool are cut while models come one replica after the other: fewest GPUs, few moves.

Every replica gets its slice beside those before it, which stay where they are. Only when that would take one
GPU more than all slices need do some of them move, and then it is written down.
"""

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig.layouts import Layout, layout
from corral.stacks.planning.mig.packing import bound, holds, proof
from corral.stacks.planning.mig.repacking import fits, free_memory, more, repack, spare
from corral.stacks.planning.mig.vectors import Vector, layout_of, plus, times, unit, vector, within
from corral.stacks.planning.results.pools import Proof, Repacked


@dataclass
class Slice:
    """A slice in use."""

    model: str
    profile: str
    gpu: int
    """Position of its GPU in the pool."""


class Allocation(Protocol):
    """The GPUs of one pool, by position."""

    slices: list[Slice]
    """In the order they were taken."""
    repacked: list[Repacked]

    def take(self, profile: str, replicas: int, model: str) -> bool:
        """A slice for each of `replicas`; False, and nothing changed, if they do not fit."""
        ...

    def free(self, profile: str) -> int:
        """How many more slices of `profile` fit."""
        ...

    def layouts(self) -> tuple[Layout, ...]:
        """Layout of each GPU, fewer than the GPUs where the rest stays whole."""
        ...

    def proof(self) -> Proof:
        """Why the slices in use need so many GPUs."""
        ...


@dataclass
class FixedAllocation:
    """GPUs whose layouts the stack file fixes."""

    gpu: str
    fixed: tuple[Layout, ...]
    slices: list[Slice] = field(default_factory=list[Slice])
    repacked: list[Repacked] = field(default_factory=list[Repacked])

    def __post_init__(self) -> None:
        self._open = {
            key: [position for position, one in enumerate(self.fixed) for _ in range(dict(one).get(key, 0))]
            for key in gpus()[self.gpu].profiles
        }

    def take(self, profile: str, replicas: int, model: str) -> bool:
        places = self._open[profile]
        if len(places) < replicas:
            return False
        self.slices += [Slice(model, profile, place) for place in places[:replicas]]
        del places[:replicas]
        return True

    def free(self, profile: str) -> int:
        return len(self._open[profile])

    def layouts(self) -> tuple[Layout, ...]:
        return self.fixed

    def proof(self) -> Proof:
        counts = Counter(one.profile for one in self.slices)
        return proof(self.gpu, vector(self.gpu, layout(self.gpu, counts)))


@dataclass(frozen=True)
class _Filled:
    """What is on a GPU."""

    used: Vector
    """Slices in use."""
    cut: Vector
    """All slices, spare ones too."""


@dataclass
class PlannedAllocation:
    """At most `total` GPUs of product `gpu`, cut as the slices in use need it."""

    gpu: str
    total: int
    slices: list[Slice] = field(default_factory=list[Slice])
    repacked: list[Repacked] = field(default_factory=list[Repacked])

    def __post_init__(self) -> None:
        self._demand = vector(self.gpu, ())
        self._gpus: list[_Filled] = []
        self._alike: dict[_Filled, list[int]] = {}
        """Positions in order of GPUs with the same on them."""

    def take(self, profile: str, replicas: int, model: str) -> bool:
        if not self._fit(profile, replicas):
            return False
        for _ in range(replicas):
            self._add(profile, model)
        return True

    def free(self, profile: str) -> int:
        beside, most = self._beside(profile), self.total * shape(self.gpu, profile).max
        return bisect_left(range(most + 1), True, lo=beside + 1, key=lambda n: not self._fit(profile, n)) - 1

    def layouts(self) -> tuple[Layout, ...]:
        return tuple(layout_of(self.gpu, one.cut) for one in self._gpus)

    def proof(self) -> Proof:
        gap = bound(self.gpu, self._demand) < len(self._gpus)
        return proof(self.gpu, self._demand, len(self._gpus) - 1 if gap else None)

    def _beside(self, profile: str) -> int:
        """How many more slices of `profile` fit while all others stay."""
        kind, whole = unit(self.gpu, profile), self.total - len(self._gpus)
        cut = sum(len(alike) * more(self.gpu, one.used, kind) for one, alike in self._alike.items())
        return whole * shape(self.gpu, profile).max + cut

    def _fit(self, profile: str, replicas: int) -> bool:
        if replicas <= self._beside(profile):
            return True
        more_of_it = times(replicas, unit(self.gpu, profile))
        return holds(self.gpu, plus(self._demand, more_of_it), self.total)

    def _add(self, profile: str, model: str) -> None:
        """One more slice, which is known to fit: beside the others, by moving some, or on a further GPU."""
        kind = unit(self.gpu, profile)
        self._demand = plus(self._demand, kind)
        place = self._place(kind)
        if place is not None:
            self._fill(place, plus(self._gpus[place].used, kind))
        elif bound(self.gpu, self._demand) <= len(self._gpus):
            place = self._move(kind, profile, model)
        if place is None:
            place = len(self._gpus)
            self._gpus.append(_Filled(kind, spare(self.gpu, kind)))
            self._alike.setdefault(self._gpus[place], []).append(place)
        self.slices.append(Slice(model, profile, place))

    def _fill(self, place: int, used: Vector) -> None:
        before = self._gpus[place]
        cut = before.cut if within(used, before.cut) else spare(self.gpu, used)
        self._gpus[place] = _Filled(used, cut)
        self._alike[before].remove(place)
        if not self._alike[before]:
            del self._alike[before]
        insort(self._alike.setdefault(self._gpus[place], []), place)

    def _place(self, kind: Vector) -> int | None:
        """The first GPU with a spare slice of `kind`, else the one it fills best; None: it fits nowhere."""
        open_now: list[int] = []
        after_cut: list[tuple[int, int]] = []
        for one, alike in self._alike.items():
            then = plus(one.used, kind)
            if within(then, one.cut):
                open_now.append(alike[0])
            elif fits(self.gpu, then):
                after_cut.append((free_memory(self.gpu, then), alike[0]))
        if open_now:
            return min(open_now)
        return min(after_cut)[1] if after_cut else None

    def _move(self, kind: Vector, profile: str, model: str) -> int | None:
        """Make place for one more slice by moving others; None: it needs a further GPU whatever moves."""
        change = repack(self.gpu, [one.used for one in self._gpus], kind)
        if change is None:
            return None
        free: dict[str, list[int]] = {}
        movers: list[Slice] = []
        for place, new in sorted(change.items()):
            old = self._gpus[place].used
            for key, before, after in zip(gpus()[self.gpu].profiles, old, new, strict=True):
                movers += [one for one in self.slices if (one.gpu, one.profile) == (place, key)][after:]
                free.setdefault(key, []).extend([place] * (after - before))
            self._fill(place, new)
        for one in movers:
            one.gpu = free[one.profile].pop(0)
        moved = {one.model for one in movers}
        order = dict.fromkeys(one.model for one in self.slices)
        self.repacked.append(Repacked(model, tuple(name for name in order if name in moved)))
        return free[profile].pop()
