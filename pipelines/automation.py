"""When things run by themselves: every night the deliveries of the day before, then its publication, then notebooks.

What a run does is said by the jobs in `pipelines.definitions`.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.assets.build import yesterday
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.publishable import choose_as_of, refuse_blocked
from pipelines.shop import Shop

NIGHTLY = "0 3 * * *"
AS_OF_TAG = "retention/as_of"
"""Tag of the runs of a night: the day they are for. A run that was started by hand has none, and nothing follows it."""


# The type of what define_asset_job gives is not exported, hence Any below.
def schedule_of(shop: Shop, ingest: Any) -> dg.ScheduleDefinition:
    """Ingest at three every night, in the shop's timezone, for the day before."""

    @dg.schedule(
        name=f"{shop.name}__nightly",
        job=ingest,
        cron_schedule=NIGHTLY,
        execution_timezone=shop.timezone,
    )
    def _nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = yesterday(shop, context.scheduled_execution_time).isoformat()
        return dg.RunRequest(run_key=day, tags={AS_OF_TAG: day})

    return _nightly


def publish_after_ingest(shop: Shop, lake_root: Path, ingest: Any, publish: Any) -> dg.SensorDefinition:
    """Publish as soon as a nightly ingest has succeeded, for the day it was for; say why where that may not be."""

    @dg.run_status_sensor(
        name=f"{shop.name}__publish_after_ingest",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[ingest],
        request_job=publish,
    )
    def _publish(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        day = run.tags.get(AS_OF_TAG)
        if day is None:
            return dg.SkipReason("the ingest was started by hand; publish is too")
        started = context.instance.get_run_stats(run.run_id).start_time or 0.0
        try:
            lake = Lake.open(lake_root)
            refuse_blocked(lake, datetime.fromtimestamp(started, UTC))
            choose_as_of(shop, lake, date.fromisoformat(day))
        except LabError as error:
            return dg.SkipReason(str(error))
        return dg.RunRequest(run_key=run.run_id, partition_key=day, tags={AS_OF_TAG: day})

    return _publish


def notebooks_after_publish(shop: Shop, publish: Any, notebooks: Any) -> dg.SensorDefinition:
    """Run all notebooks as soon as a night has been published; its snapshot stands whatever they do."""

    @dg.run_status_sensor(
        name=f"{shop.name}__notebooks_after_publish",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[publish],
        request_job=notebooks,
    )
    def _notebooks(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        day = run.tags.get(AS_OF_TAG)
        if day is None:
            return dg.SkipReason("the day was published by hand; notebooks are run so too")
        return dg.RunRequest(run_key=run.run_id, partition_key=day, tags={AS_OF_TAG: day})

    return _notebooks
