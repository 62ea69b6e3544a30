"""Part: what of a claim is tested and how, from which a finding is made once the numbers are known.

What does not belong here: the rule by which a claim holds (`models.claims._finding`), and any measuring.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.claims._estimate import Estimate
from models.claims._finding import Claimed, Finding, Status, status_of
from models.claims._words import signed

__all__ = ["Part", "percent", "points", "times"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a claim before it meets a shop; attributes as of `Finding`."""

    claim: int
    part: str
    definition: str
    n_of: str
    claimed: Claimed

    def tested(self, found: Estimate, n: int, says: str) -> Finding:
        """Hold the claim's figure against what was found."""
        status = status_of(self.claimed, found.low, found.high)
        return self._finding(status, says, n=n, found=found)

    def cannot_tell(self, n: int, says: str) -> Finding:
        """There is too little to give a number."""
        return self._finding(Status.CANNOT_TELL, says, n=n)

    def cannot_be_tested(self, says: str, *, needs: tuple[str, ...] = ()) -> Finding:
        """A table, or what it would have to tell, is not there."""
        return self._finding(Status.CANNOT_BE_TESTED, says, needs=needs)

    def _finding(
        self,
        status: Status,
        says: str,
        *,
        n: int | None = None,
        found: Estimate | None = None,
        needs: tuple[str, ...] = (),
    ) -> Finding:
        return Finding(
            claim=self.claim,
            part=self.part,
            definition=self.definition,
            status=status,
            says=says,
            claimed=self.claimed,
            number=found.value if found else None,
            low=found.low if found else None,
            high=found.high if found else None,
            n=n,
            n_of=self.n_of if n is not None else "",
            needs=needs,
        )


def percent(found: Estimate) -> str:
    """Say a share with its interval: "38.2 % (95 % interval 36.0 to 40.1)"."""
    return f"{100 * found.value:.1f} %{_interval(found, 100, '{:.1f}')}"


def points(found: Estimate, digits: int = 1) -> str:
    """Say a difference of shares with its interval, signed: "+5.8 points (95 % interval +3.5 to +8.0)"."""
    said = f"{signed(100 * found.value, digits)} points"
    if found.low is None or found.high is None:
        return said
    return f"{said} (95 % interval {signed(100 * found.low, digits)} to {signed(100 * found.high, digits)})"


def times(found: Estimate) -> str:
    """Say a ratio with its interval: "3.10 times (95 % interval 2.80 to 3.40)"."""
    return f"{found.value:.2f} times{_interval(found, 1, '{:.2f}')}"


def _interval(found: Estimate, scale: float, shown: str) -> str:
    if found.low is None or found.high is None:
        return ""
    return f" (95 % interval {shown.format(scale * found.low)} to {shown.format(scale * found.high)})"
