"""Progress of a run: a line that moves on a terminal, nothing in a pipe."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.assets.catalogue import steps_of
from pipelines.assets.step import Outcome, Stage, Step
from pipelines.notebooks.kept import Outcome as NotebookOutcome
from pipelines.shop import Shop


class NotebookProgress:
    """Hears of every notebook and shows it; see `pipelines.notebooks.night.Listener`."""

    def __init__(self, awaited: int) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=awaited)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def notebook_started(self, name: str) -> None:
        """Show which notebook is being run."""
        self._progress.update(self._task, description=f"notebook: {name}")

    def notebook_finished(self, outcome: NotebookOutcome) -> None:
        """Count the notebook as done."""
        self._progress.advance(self._task)


class TerminalProgress(NotebookProgress):
    """Hears of every step of a run as well; see `pipelines.assets.build.Reporter`."""

    def __init__(self, shop: Shop, starts_at: Stage = Stage.LANDING, *, notebooks: int = 0) -> None:
        order = list(Stage)
        awaited = [s for s in steps_of(shop).values() if order.index(s.stage) >= order.index(starts_at)]
        super().__init__(len(awaited) + notebooks)

    def started(self, step: Step) -> None:
        """Show which table is being made."""
        self._progress.update(self._task, description=f"{step.stage.value}: {step.table}")

    def finished(self, step: Step, outcome: Outcome) -> None:
        """Count the table as done."""
        self._progress.advance(self._task)
