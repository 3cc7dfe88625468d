"""Memory and volume of a vector database follow from its vectors."""

import io

import pytest
from rich.console import Console
from tests.stacks.stack_files import planned, problems

from corral.stacks.reports.terminal.plan import render

QDRANT = {"engine": "qdrant", "vectors": "5M", "dimensions": 1024}


def database(**more):
    found = planned(vector_db={**QDRANT, **more}).vector_db
    assert found is not None
    return found


def test_five_million_vectors_of_1024_dimensions_take_28_6_gib_of_qdrants_memory():
    one = database()
    assert one.memory_mib == 29297 and one.memory_mib / 1024 == pytest.approx(28.6, abs=0.05)
    assert one.size_gib == 29, "the volume holds what the memory holds"


def test_replicas_share_the_vectors_and_keep_each_shard_twice():
    several = database(replicas=3)
    assert several.replication_factor == 2
    assert several.memory_mib == pytest.approx(29297 * 2 / 3, abs=1)
    once = database(replicas=3, **{"replication-factor": 1})
    assert once.memory_mib == pytest.approx(29297 / 3, abs=1)
    everywhere = database(replicas=3, **{"replication-factor": 3})
    assert everywhere.memory_mib == database().memory_mib


def test_few_vectors_get_the_least_that_a_database_needs():
    few = database(vectors=1000)
    assert (few.memory_mib, few.size_gib) == (1024, 20)


@pytest.mark.parametrize(
    ("section", "line"),
    [
        (
            {"engine": "qdrant", "vectors": "50M", "dimensions": 4096, "size": "5Gi"},
            "vector-db.size: 5Gi: each replica needs 1145Gi (50,000,000 vectors x 4096 dimensions x 4 B",
        ),
        (
            {**QDRANT, "replicas": 3, "size": "19Gi"},
            "vector-db.size: 19Gi: each replica needs 20Gi (5,000,000 vectors x 1024 dimensions x 4 B x 1.5"
            " x 2 copies / 3 replicas)",
        ),
        (
            {"engine": "pgvector", "vectors": "1M", "dimensions": 1024, "size": "7Gi"},
            "vector-db.size: 7Gi: each replica needs 8Gi",
        ),
        (
            {**QDRANT, "replicas": 2, "replication-factor": 3},
            "vector-db.replication-factor: 3: a shard has one copy on each replica at most, and there are 2",
        ),
    ],
)
def test_a_volume_or_copies_that_cannot_be_are_refused_with_the_figure(section, line):
    (found,) = problems(vector_db=section)
    assert found.startswith(line)


def test_a_volume_that_holds_the_vectors_is_taken_as_it_is():
    assert database(replicas=3, size="20Gi").size_gib == 20


def test_pgvector_indexes_long_vectors_at_half_precision_and_needs_less_for_it():
    full = planned(vector_db={"engine": "pgvector", "vectors": "5M", "dimensions": 2000}).vector_db
    half = planned(vector_db={"engine": "pgvector", "vectors": "5M", "dimensions": 2001}).vector_db
    assert full is not None and half is not None and half.size_gib < full.size_gib


def test_the_plan_prints_what_each_replica_gets_and_why():
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as printed:
        render(planned(vector_db={**QDRANT, "replicas": 3}), console)
    text = " ".join(printed.get().split())
    assert "qdrant x3, each 20 GiB volume and 19532 MiB memory, 2 of each shard" in text
    assert "5,000,000 vectors x 1024 dimensions x 4 B x 1.5" in text
