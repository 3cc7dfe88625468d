"""What is replayed is after the versions that the platform has."""

import pytest
from tests.replay.exporters import PLATFORM, RECORDED, TROUBLE, printed

from corral.catalogue.images import image

IMAGES = {
    "vllm": "vllm",
    "text-embeddings": "text-embeddings",
    "kube-state-metrics": "kube-state-metrics",
    "qdrant": "qdrant",
    "postgres": "postgres-exporter",
    "cert-manager": "cert-manager",
    "keda": "keda",
    "kueue": "kueue",
}
"""Image of each exporter whose file names the version that it is after."""


@pytest.mark.parametrize("file", IMAGES)
def test_a_file_is_after_the_version_that_the_catalogue_has(file: str):
    version = image(IMAGES[file]).tag.removeprefix("cuda-").removeprefix("v").partition("-")[0]
    header = (RECORDED / f"{file}.prom").read_text().partition("# TYPE")[0]
    assert f" v{version}." in header.replace("\n", " "), f"look at {file}.prom again: it is {version} now"


def test_every_file_says_that_it_is_a_replay_and_is_of_an_exporter():
    files = {path.stem: path.read_text() for path in RECORDED.glob("*.prom")}
    assert all(text.startswith("# Replay, not a recording: values are made") for text in files.values())
    assert {one.file for one in PLATFORM} | {"vllm", "llamacpp", "text-embeddings"} == files.keys()
    assert {path.stem for path in TROUBLE.glob("*.prom")} == files.keys()


def test_counters_grow_together_and_gauges_stay():
    first, later = (printed("qdrant", seconds, trouble=False) for seconds in (0, 60))
    assert first == later
    now, then = (printed("llamacpp", seconds, trouble=False) for seconds in (0, 60))
    assert "llamacpp:prompt_tokens_total 5000.0" in now and "llamacpp:prompt_tokens_total 10000.0" in then
    assert "llamacpp:requests_processing 1.0" in now and "llamacpp:requests_processing 1.0" in then
