"""The on-prem stack as it is committed, on a cluster with other people's workloads, from a mirror."""

import json

import pytest
from tests.door import site as sites
from tests.door.mirror import serving
from tests.door.newcomer import SECRETS, newcomer_in

pytestmark = pytest.mark.engine

UP = ("pulumi", "up", "--yes", "--non-interactive", "--skip-preview", "--policy-pack", "policy")
NEEDED = {key: SECRETS[key] for key in SECRETS if key != "corral:vector-db-password"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onprem")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    sites.add_machines(newcomer)
    plane = newcomer.home / ".cache" / "corral" / "elsewhere"
    with serving(folder) as mirror, sites.intake() as intake:
        try:
            newcomer.done("corral", "up", "--plane-only", "-s", "elsewhere")
            found = sites.Site(newcomer, sites.site_kubeconfig(plane, folder), mirror, intake)
            found.fill_mirror(plane / "charts", folder)
            found.kubectl("apply", "-f", "-", given=sites.STRANGERS)
            found.kubectl("create", "namespace", "cert-manager")
            for chart, (namespace, values) in sites.INSTALLED.items():
                found.install(plane / "charts" / chart, namespace, values)
            found.write_stack({"models": []})
            newcomer.stack("onprem", {**NEEDED, "corral:vector-db-api-key": "door-vector-db-api-key"})
            yield found
        finally:
            newcomer.run("corral", "down", "--yes", "-s", "elsewhere")


def test_it(site):
    print(site.done("corral", "lock", "--mirror", site.registry).replace("-s onprem", ""))
    print(site.run("corral", "plan").stdout)
    print(site.run("pulumi", "preview", "--policy-pack", "policy").stdout)
    print(site.run(*UP).stdout)
    print(site.kubectl("get", "pods", "-A"))
    print(site.kubectl("get", "events", "-A"))
    print(site.kubectl("delete", "pods", "-n", "colleagues", "--all"))
    import time; time.sleep(5)
    print(site.kubectl("get", "pods", "-n", "colleagues"))
    print(site.kubectl("get", "events", "-n", "colleagues"))
