"""What the provisioner does about claims, their growth and their end."""

import pytest

from corral.embedded.node.storage import Provisioner, folder_name

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"


def claim(name="data", size="1Gi", storage_class="corral-local", **spec):
    return {
        "metadata": {"name": name, "namespace": "llm", "uid": "0a1b2c3d-4e5f"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": storage_class,
            **spec,
        },
        "status": {"phase": "Pending"},
    }


def bound(cluster, volume):
    """What the controller-manager does when it binds."""
    name = volume["metadata"]["name"]
    old = cluster.get(CLAIMS, "llm", "data")
    cluster.put(VOLUMES, {**volume, "status": {"phase": "Bound"}})
    return cluster.put(
        CLAIMS,
        {
            **old,
            "spec": {**old["spec"], "volumeName": name},
            "status": {"phase": "Bound", "capacity": volume["spec"]["capacity"]},
        },
    )


@pytest.fixture
def volumes(tmp_path):
    return tmp_path / "volumes"


@pytest.fixture
def provision(play, volumes):
    return lambda scene: play(lambda api: Provisioner(api, volumes).run(), scene)


async def first_volume(cluster):
    return (await cluster.until(lambda: cluster.all(VOLUMES)))[0]


def test_the_default_class_exists_grows_and_comes_back_when_removed(provision):
    async def scene(cluster):
        result = await cluster.until(lambda: cluster.get(CLASSES, "", "corral-local"))
        cluster.remove(CLASSES, "", "corral-local")
        await cluster.until(lambda: cluster.get(CLASSES, "", "corral-local"))
        return result

    result = provision(scene)
    assert result["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert result["allowVolumeExpansion"] is True


def test_a_pending_claim_gets_a_volume_that_only_it_can_bind_and_an_owner_only_folder(provision, volumes):
    async def scene(cluster):
        cluster.put(CLAIMS, claim())
        return await first_volume(cluster)

    spec = provision(scene)["spec"]
    folder = volumes / "llm-data-0a1b2c3d"
    assert spec["claimRef"]["uid"] == "0a1b2c3d-4e5f"
    assert (spec["claimRef"]["namespace"], spec["claimRef"]["name"]) == ("llm", "data")
    assert spec["capacity"] == {"storage": "1Gi"}
    assert spec["storageClassName"] == "corral-local"
    assert spec["persistentVolumeReclaimPolicy"] == "Delete"
    assert spec["hostPath"]["path"] == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_claim_is_provisioned_once_however_often_it_changes(provision):
    async def scene(cluster):
        cluster.put(CLAIMS, claim())
        volume = await first_volume(cluster)
        bound(cluster, volume)
        for _ in range(3):
            cluster.put(CLAIMS, cluster.get(CLAIMS, "llm", "data"))
        await cluster.settled()
        return [path for method, path in cluster.writes if method != "POST"], len(cluster.all(VOLUMES))

    assert provision(scene) == ([], 1)


@pytest.mark.parametrize(
    "other",
    [claim(storage_class="fast"), claim(volumeMode="Block"), claim(storage_class=None)],
    ids=["another class", "a block device", "no class"],
)
def test_other_claims_are_left_alone(provision, other):
    async def scene(cluster):
        cluster.put(CLASSES, {"metadata": {"name": "fast"}, "provisioner": "example.eu/fast"})
        cluster.put(CLAIMS, other)
        await cluster.until(lambda: cluster.get(CLASSES, "", "corral-local"))
        await cluster.settled()
        return cluster.all(VOLUMES)

    assert provision(scene) == []


def test_another_class_of_this_provisioner_decides_what_happens_to_the_data(provision, volumes):
    async def scene(cluster):
        keep = {"metadata": {"name": "keep"}, "provisioner": "corral.dev/local", "reclaimPolicy": "Retain"}
        cluster.put(CLASSES, keep)
        cluster.put(CLAIMS, claim(storage_class="keep"))
        volume = await first_volume(cluster)
        (volumes / "llm-data-0a1b2c3d" / "precious").write_text("data")
        cluster.put(VOLUMES, {**volume, "status": {"phase": "Released"}})
        await cluster.settled()
        return cluster.all(VOLUMES)

    assert len(provision(scene)) == 1
    assert (volumes / "llm-data-0a1b2c3d" / "precious").exists()


def test_a_claim_that_asks_for_more_grows_with_its_volume(provision):
    async def scene(cluster):
        cluster.put(CLAIMS, claim())
        result = bound(cluster, await first_volume(cluster))
        result["spec"]["resources"]["requests"]["storage"] = "2Gi"
        cluster.put(CLAIMS, result)
        await cluster.until(
            lambda: cluster.get(CLAIMS, "llm", "data")["status"]["capacity"] == {"storage": "2Gi"}
        )
        await cluster.settled()
        return cluster.all(VOLUMES)[0]["spec"]["capacity"], cluster.writes

    capacity, writes = provision(scene)
    assert capacity == {"storage": "2Gi"}
    assert len([method for method, _ in writes if method == "PATCH"]) == 2, "one for each, and no more"


def test_a_claim_whose_size_is_only_written_differently_does_not_grow(provision):
    async def scene(cluster):
        cluster.put(CLAIMS, claim())
        result = bound(cluster, await first_volume(cluster))
        result["spec"]["resources"]["requests"]["storage"] = "1024Mi"
        cluster.put(CLAIMS, result)
        await cluster.settled()
        return [method for method, _ in cluster.writes if method == "PATCH"]

    assert provision(scene) == []


def test_a_released_volume_goes_with_its_folder(provision, volumes):
    async def scene(cluster):
        cluster.put(CLAIMS, claim())
        volume = await first_volume(cluster)
        (volumes / "llm-data-0a1b2c3d" / "file").write_text("data")
        cluster.remove(CLAIMS, "llm", "data")
        cluster.put(VOLUMES, {**volume, "status": {"phase": "Released"}})
        await cluster.until(lambda: not cluster.all(VOLUMES))

    provision(scene)
    assert not (volumes / "llm-data-0a1b2c3d").exists()


def test_data_stays_while_the_claim_does(provision, volumes):
    async def scene(cluster):
        cluster.put(CLAIMS, claim())
        volume = await first_volume(cluster)
        (volumes / "llm-data-0a1b2c3d" / "file").write_text("data")
        bound(cluster, volume)
        await cluster.settled()

    provision(scene)
    assert (volumes / "llm-data-0a1b2c3d" / "file").read_text() == "data"


@pytest.mark.parametrize(
    "path", ["elsewhere", "volumes/llm-data/deeper", "volumes/link", "volumes/../elsewhere"]
)
def test_a_folder_outside_the_volumes_folder_is_never_deleted(provision, volumes, tmp_path, caplog, path):
    (volumes / "llm-data" / "deeper").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (volumes / "link").symlink_to(tmp_path / "elsewhere")

    async def scene(cluster):
        cluster.put(
            VOLUMES,
            {
                "metadata": {
                    "name": "pvc-x",
                    "annotations": {"pv.kubernetes.io/provisioned-by": "corral.dev/local"},
                },
                "spec": {
                    "persistentVolumeReclaimPolicy": "Delete",
                    "hostPath": {"path": str(tmp_path / path)},
                    "capacity": {"storage": "1Gi"},
                },
                "status": {"phase": "Released"},
            },
        )
        await cluster.until(lambda: "refused to delete" in caplog.text)
        return cluster.all(VOLUMES)

    assert len(provision(scene)) == 1
    assert (tmp_path / path).exists()


def test_a_volume_of_somebody_else_is_not_reclaimed(provision, volumes):
    (volumes / "theirs").mkdir(parents=True)

    async def scene(cluster):
        cluster.put(
            VOLUMES,
            {
                "metadata": {"name": "theirs"},
                "spec": {
                    "persistentVolumeReclaimPolicy": "Delete",
                    "hostPath": {"path": str(volumes / "theirs")},
                },
                "status": {"phase": "Released"},
            },
        )
        await cluster.settled()

    provision(scene)
    assert (volumes / "theirs").exists()


def test_the_longest_names_still_fit_a_file_name():
    meta = {"namespace": "n" * 63, "name": "c" * 253, "uid": "0a1b2c3d-4e5f"}
    assert len(folder_name({"metadata": meta})) <= 255
