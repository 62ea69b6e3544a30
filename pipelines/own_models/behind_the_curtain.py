"""Behind the curtain: load a model from its file, fit it and ask it, in a process that knows nothing else.

Started as a script by `pipelines.own_models.hidden_model`, which says what is asked in request.json of the folder given
and reads answer.json and predictions.parquet there. Fresh each time, so that nothing is remembered of other days.
"""

import json
import sys
import traceback
import types
import warnings
from datetime import date
from pathlib import Path
from typing import Any

HORIZON = "horizon_days"


def main(folder: Path) -> None:
    """Answer the request of a folder."""
    request: dict[str, Any] = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    sys.path[:] = request["search"]
    import polars as pl

    from models.errors import ModelError
    from models.known import Known
    from pipelines.own_models.curtain import draw

    tables = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in request["tables"]}
    purchases = tables.pop("purchases", None)
    model, deeds = Path(request["model"]), list[str]()
    text = model.read_text(encoding="utf-8")
    answer: dict[str, Any] = {"deeds": deeds, "warnings": []}
    draw(model, folder, [Path(one) for one in request["hidden"]], deeds.append)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        try:
            made = _made(text, model, request["class_name"])
            if purchases is not None:
                facts: Any = tables or None
                known = Known(date.fromisoformat(request["as_of"]), purchases, facts)
                predicted = made.fit(known).predict(request[HORIZON])
                _write(predicted, folder / "predictions.parquet")
        except ModelError as error:
            answer["refusal"] = str(error)
        except BaseException as error:
            answer["fault"] = _told(error, model)
    sys.setprofile(None)
    answer["warnings"] = [str(one.message) for one in told if issubclass(one.category, UserWarning)]
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _made(text: str, path: Path, class_name: str) -> Any:
    """Make the class without anything of its own: it must need no arguments."""
    module = types.ModuleType("own_model")
    module.__file__ = str(path)
    # Where dataclasses and pickles look classes up.
    sys.modules[module.__name__] = module
    exec(compile(text, str(path), "exec"), module.__dict__)
    made: Any = getattr(module, class_name)()
    for method in ("fit", "predict"):
        if not callable(getattr(made, method, None)):
            raise TypeError(f"class {class_name} has no method {method}")
    return made


def _write(predicted: Any, path: Path) -> None:
    import polars as pl

    if isinstance(predicted, pl.LazyFrame):
        predicted = predicted.collect()
    if not isinstance(predicted, pl.DataFrame):
        raise TypeError(f"predict gave a {type(predicted).__name__}, not a polars.DataFrame")
    predicted.write_parquet(path)


def _told(error: BaseException, model: Path) -> str:
    """The error in one line, with the line of the model's file that it came from."""
    # Frames rather than a summary of them, which would read their files.
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == str(model)]
    if isinstance(error, SyntaxError) and error.filename == str(model):
        lines.append(error.lineno or 0)
    place = f" ({model.name}, line {lines[-1]})" if lines else ""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if said else ''}{said}{place}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
