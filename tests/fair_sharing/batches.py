"""Batches of tenant red: its prefix of the store, and runs of a CronJob outside its schedule."""

from typing import Any

from tests.doubles.s3 import s3_client
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform

BUCKET = "batches"
JOB_SECONDS = 90


def store_of(platform: Platform) -> Any:
    """The store as the tenant's batches enter it."""
    keys = platform.secret("red", "batch-nightly")
    address = platform.read("service", "model-storage", "-n", "model-storage")["spec"]["clusterIP"]
    return s3_client(
        f"http://{address}:8333", keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], "embedded"
    )


def ended(platform: Platform, job: str) -> str:
    """What the pod of a job said, once the job is complete."""

    def complete() -> bool:
        status = platform.read("job", job, "-n", "red").get("status", {})
        kinds = {one["type"] for one in status.get("conditions", []) if one["status"] == "True"}
        assert "Failed" not in kinds, log(platform, job)
        return "Complete" in kinds

    platform_client.wait_for(complete, JOB_SECONDS, f"job {job} is complete")
    return log(platform, job)


def log(platform: Platform, job: str) -> str:
    """What the pod of a job said."""
    (pod,) = platform.items("pods", "-n", "red", "-l", f"batch.kubernetes.io/job-name={job}")
    done = platform.corral("logs", pod["metadata"]["name"], "--namespace", "red")
    assert done.code == 0, done.output
    return done.out
