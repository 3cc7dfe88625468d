"""Which GPUs are whose: what follows from tenants, models and pools, and what is refused."""

import io

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, planned, pool, problems

from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

PLUGIN = {"dra-driver": "off"}
LAYOUT = [{"1g.5gb": 3, "3g.20gb": 1}]
SLICES = pool(sharing={"mig": LAYOUT})
WHOLE = pool(name="whole", gpu="H100-80GB", nodes={"names": ["whole-0"]}, gpus_per_node=4, sharing="whole")
SMALL = {"name": "s", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2, "tenant": "a"}

CLOSED = dict.fromkeys(("gpu.nvidia.com", "mig.nvidia.com", "vfio.gpu.nvidia.com"), 0)
"""The driver's own classes."""


def two(a=None, b=None, **more):
    """Tenants a and b on six 1g.5gb, two 3g.20gb and four whole GPUs; a has one model on 1g.5gb."""
    tenants = [{"name": "a", **(a or {})}, {"name": "b", **(b or {})}]
    return {"tenants": tenants, "gpu_pools": [SLICES, WHOLE], "models": [SMALL], **more}


def own(plan, tenant):
    share = next(one for one in plan.shares.tenants if one.tenant == tenant)
    return {(one.device.pool, one.device.words): one.count for one in share.guaranteed if one.count}


def most(plan, tenant):
    return dict(next(one for one in plan.tenants if one.name == tenant).limits)


def test_a_stack_that_asks_for_nothing_limits_nobody_and_lends_nothing():
    found = planned(**two())
    assert found.state(Addon.KUEUE) is AddonState.OFF
    assert found.tenants and not any(tenant.limits for tenant in found.tenants)
    assert not found.shares.borrowing


def test_a_tenant_owns_what_it_asks_for_or_what_its_models_need_at_most():
    found = planned(**two(b={"gpus": {"slices": {"1g.5gb": 2, "3g.20gb": 1}, "whole": 3}}, fair_sharing={}))
    assert own(found, "a") == {("slices", "1g.5gb"): 1}
    assert own(found, "b") == {
        ("slices", "1g.5gb"): 2,
        ("slices", "3g.20gb"): 1,
        ("whole", "whole GPU"): 3,
    }
    rest = {(one.device.pool, one.device.words): one.count for one in found.shares.unassigned}
    assert rest == {("slices", "1g.5gb"): 3, ("slices", "3g.20gb"): 1, ("whole", "whole GPU"): 1}


@pytest.mark.parametrize("addons", [{"tenancy": "existing"}, {"tenancy": "off"}])
def test_a_priority_that_no_class_would_have_is_refused(addons):
    high = {**SMALL, "priority": "high"}
    reasons = problems(**two(models=[high], addons=addons))
    assert any("models[0].priority: high: there is no class of it" in one for one in reasons)
    assert not [one for one in problems(**two(models=[SMALL], addons=addons)) if "priority" in one]


def test_a_model_s_priority_is_its_canary_s_too():
    canary = {"weight": 10, "context": 1024}
    found = planned(
        **two(models=[{**SMALL, "priority": "low", "canary": canary}], gateway={"host": "models.example.eu"})
    )
    assert [one.priority.value for one in found.models] == ["low", "low"]


def test_models_need_their_devices_at_most_replicas():
    big = model(name="l", model="llama-3.3-70b", replicas={"min": 1, "max": 2}, pool="whole", tenant="b")
    found = planned(**two(models=[SMALL, big], fair_sharing={}))
    assert next(one for one in found.models if one.name == "l").claim.count == 2
    assert own(found, "b") == {("whole", "whole GPU"): 4}


def test_where_nothing_queues_a_tenant_is_limited_to_what_is_its_own():
    found = planned(**two(a={"gpus": {"slices": {"1g.5gb": 2}}}))
    assert most(found, "a") == {"mig-1g-5gb.corral.dev": 2, "mig-3g-20gb.corral.dev": 0, **CLOSED}
    assert most(found, "b") == {}, "as it was before anyone asked for anything"


def test_where_queues_count_a_limit_closes_what_is_not_to_be_had_and_nothing_else():
    asked = {"a": {"gpus": {"slices": {"1g.5gb": 2}}}}
    lent = planned(**two(**asked, fair_sharing={}))
    assert most(lent, "a") == most(lent, "b") == {name: 0 for name in CLOSED if name != "gpu.nvidia.com"}
    kept = planned(**two(**asked, fair_sharing={"borrowing": False}))
    assert most(kept, "a") == {"mig-3g-20gb.corral.dev": 0, **CLOSED}, (
        "a claim of a pod that waits would count, and keep the devices from what the queue lets in"
    )
    assert most(kept, "b") == {"mig-1g-5gb.corral.dev": 0, **most(kept, "a")}, "it has and asks for nothing"


def test_a_limit_counts_a_class_over_all_pools():
    more = {**WHOLE, "name": "more", "nodes": {"names": ["more-0"]}, "gpus-per-node": 2}
    asked = two(a={"gpus": {"whole": 3, "more": 1, "slices": {"1g.5gb": 1}}}, gpu_pools=[SLICES, WHOLE, more])
    assert most(planned(**asked), "a")["gpu.nvidia.com"] == 4


def test_with_a_device_plugin_extended_resources_are_counted_and_limited():
    asked = two(a={"gpus": {"slices": {"1g.5gb": 2}, "whole": 1}}, addons=PLUGIN)
    found = planned(**asked)
    assert found.device_classes == ()
    assert {one.device.resource for one in found.shares.offered} == {
        "nvidia.com/mig-1g.5gb",
        "nvidia.com/mig-3g.20gb",
        "nvidia.com/gpu",
    }
    assert most(found, "a") == {
        "nvidia.com/mig-1g.5gb": 2,
        "nvidia.com/mig-3g.20gb": 0,
        "nvidia.com/gpu": 1,
        "nvidia.com/gpu.shared": 0,
    }
    assert most(planned(**asked, fair_sharing={}), "a") == {"nvidia.com/gpu.shared": 0}


def test_shares_of_gpus_are_owned_by_number():
    shared = pool(gpu="L40S", sharing={"mps": 4})
    found = planned(**two(a={"gpus": {"slices": 5}}, gpu_pools=[shared], fair_sharing={}, addons=PLUGIN))
    assert own(found, "a") == {("slices", "1/4 GPU"): 5}
    assert {one.device.resource for one in found.shares.offered} == {"nvidia.com/gpu.shared"}


def test_every_profile_of_any_pool_has_one_class_and_models_ask_for_it():
    other = pool(name="other", nodes={"names": ["other-0"]}, sharing={"mig": [{"1g.5gb": 7}]})
    found = planned(**two(gpu_pools=[SLICES, other]))
    assert [(one.name, one.profile) for one in found.device_classes] == [
        ("mig-1g-5gb.corral.dev", "1g.5gb"),
        ("mig-3g-20gb.corral.dev", "3g.20gb"),
    ]
    assert found.models[0].claim.device_class == "mig-1g-5gb.corral.dev"
    names = {one.device.resource: one.device.counted_as for one in planned(**two()).shares.offered}
    assert names == {
        "corral.dev/mig-1g-5gb": "mig-1g-5gb.corral.dev",
        "corral.dev/mig-3g-20gb": "mig-3g-20gb.corral.dev",
        "corral.dev/gpu": "gpu.nvidia.com",
    }


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"a": {"gpus": {"slice": 1}}}, "tenants[0].gpus.slice: slice: did you mean slices?"),
        (
            {"a": {"gpus": {"slices": {"1g.6gb": 1}}}},
            "tenants[0].gpus.slices.1g.6gb: 1g.6gb: did you mean 1g.5gb?",
        ),
        ({"a": {"gpus": {"slices": 2}}}, "tenants[0].gpus.slices: 2: pool slices is cut into slices"),
        (
            {"b": {"gpus": {"whole": {"1g.10gb": 1}}}},
            "tenants[1].gpus.whole: 1g.10gb: pool whole has no slices",
        ),
        (
            {"b": {"gpus": {"whole": 0}}},
            "tenants[1].gpus.whole: 0: use a number of 1 or more, or {PROFILE: N}",
        ),
        ({"b": {"gpus": {"slices": {}}}}, "tenants[1].gpus.slices: {}: use a number of 1 or more"),
        ({"b": {"gpus": {"whole": True}}}, "tenants[1].gpus.whole: true: use a number of 1 or more"),
        (
            {"b": {"gpus": {"whole": 5}}},
            "tenants[1].gpus.whole: 5: pool whole has 4 x whole GPU: use 4 at most",
        ),
        (
            {"b": {"gpus": {"slices": {"1g.5gb": 6}}}},
            "tenants[1].gpus.slices.1g.5gb: 6: pool slices has 6 x 1g.5gb, and other tenants have 1: "
            "use 5 at most",
        ),
        (
            {"a": {"gpus": {"slices": {"1g.5gb": 1}, "whole": 3}}, "b": {"gpus": {"whole": 2}}},
            "tenants[1].gpus.whole: 2: pool whole has 4 x whole GPU, and other tenants have 3: use 1 at most",
        ),
        (
            {"b": {"gpus": {"slices": {"2g.10gb": 1}}}},
            "tenants[1].gpus.slices.2g.10gb: 1: pool slices has 6 x 1g.5gb, 2 x 3g.20gb",
        ),
        (
            {"a": {"gpus": {"whole": 1}}},
            "tenants[0].gpus.slices.1g.5gb: missing: its models need 1 x 1g.5gb: use 1 or more, or fewer "
            "replicas",
        ),
    ],
)
def test_gpus_that_cannot_be_a_tenants_own_are_refused_with_what_could(asked, line):
    for sharing in ({}, {"fair_sharing": {}}):
        found = problems(**two(**asked, **sharing))
        assert len(found) == 1 and found[0].startswith(line), found


def test_what_models_need_of_tenants_that_ask_for_nothing_comes_first():
    last = {**SMALL, "tenant": "b"}
    (refused,) = problems(**two(a={"gpus": {"slices": {"1g.5gb": 6}}}, models=[last]))
    assert refused.endswith("and other tenants have 1: use 5 at most")


def test_a_pool_that_is_cut_as_models_need_it_has_no_slice_for_anybody_else():
    (refused,) = problems(**two(b={"gpus": {"slices": {"3g.20gb": 1}}}, gpu_pools=[pool(), WHOLE]))
    assert refused.startswith("tenants[1].gpus.slices.3g.20gb: 1: pool slices has ")
    assert refused.endswith("auto cuts what models need, a layout in sharing.mig what else there should be")
    left = planned(**two(b={"gpus": {"slices": {"whole": 1}}}, gpu_pools=[pool(), WHOLE]))
    assert own(left, "b") == {("slices", "whole GPU"): 1}, "a GPU that no model needs is not cut"


ON_DEMAND = pool(gpus_per_node=2, sharing={"mig": "dynamic"})
"""Two GPUs: 3g.20gb finds its place in every order beside three small slices, not beside four."""


@pytest.mark.usefixtures("mode_on")
def test_slices_on_demand_are_owned_as_far_as_they_find_their_place_in_every_order():
    asked = {"slices": {"3g.20gb": 1, "1g.5gb": 1}}
    found = planned(**two(a={"gpus": asked}, gpu_pools=[ON_DEMAND, WHOLE], fair_sharing={}))
    assert own(found, "a") == {("slices", "1g.5gb"): 1, ("slices", "3g.20gb"): 1}
    offered = {(one.device.pool, one.device.words): one.count for one in found.shares.offered}
    assert offered == {
        ("slices", "1g.5gb"): 1,
        ("slices", "3g.20gb"): 1,
        ("whole", "whole GPU"): 4,
    }, "nobody is offered what is not promised"
    assert {one.profile for one in found.device_classes} == {"1g.5gb", "3g.20gb"}


@pytest.mark.usefixtures("mode_on")
def test_more_slices_on_demand_than_find_their_place_in_every_order_are_refused():
    asked = {"slices": {"3g.20gb": 2, "1g.5gb": 6}}
    (refused,) = problems(**two(a={"gpus": asked}, gpu_pools=[ON_DEMAND, WHOLE]))
    assert (
        refused.startswith("tenants[0].gpus.slices: ") and "in the worst order in which pods come" in refused
    )
    assert "takes 4 GPUs, and pool slices has 2" in refused, refused


@pytest.mark.usefixtures("mode_on")
def test_what_a_model_needs_on_demand_is_its_tenants_own():
    found = planned(**two(gpu_pools=[ON_DEMAND, WHOLE], fair_sharing={}))
    assert own(found, "a") == {("slices", "1g.5gb"): 1}
    (refused,) = problems(**two(a={"gpus": {"slices": {"whole": 1}}}, gpu_pools=[ON_DEMAND, WHOLE]))
    assert refused.startswith("tenants[0].gpus.slices.whole: whole: ")


def test_a_weight_says_who_gets_what_is_borrowed_and_nothing_where_nothing_is():
    found = planned(**two(b={"weight": 3}, fair_sharing={}))
    assert [one.weight for one in found.shares.tenants] == [1, 3]
    assert problems(**two(b={"weight": 3})) == [
        "tenants[1].weight: 3: it divides what is borrowed, which needs the section fair-sharing"
    ]
    (refused,) = problems(**two(b={"weight": 3}, fair_sharing={"borrowing": False}))
    assert refused.endswith("which needs borrowing: true in fair-sharing")
    (refused,) = problems(**two(b={"weight": 3}, fair_sharing={}, addons={"kueue": "off"}))
    assert refused.endswith("which needs addons.kueue")


def test_queues_need_the_section_that_says_how_they_share():
    assert problems(**two(addons={"kueue": "existing"})) == [
        "addons.kueue: existing: the section fair-sharing is missing"
    ]
    found = planned(**two(addons={"kueue": "existing"}, fair_sharing={}))
    assert found.state(Addon.KUEUE) is AddonState.EXISTING
    assert not [name for name in found.digests.unresolved if "kueue" in name], "nothing of it is pulled"


def test_gpus_are_promised_where_something_keeps_to_it():
    asked = two(a={"gpus": {"slices": {"1g.5gb": 1}}}, addons={"tenancy": "existing"})
    (refused,) = problems(**asked)
    assert refused.startswith("tenants[0].gpus: slices: nothing would keep a tenant to it")
    assert planned(**asked, fair_sharing={})


def test_whoever_borrows_by_time_is_isolated_from_nobody():
    shared = pool(gpu="L40S", sharing={"time-slicing": 4})
    asked = two(
        {"data-class": "public"}, {"data-class": "restricted"}, gpu_pools=[shared, SLICES], addons=PLUGIN
    )
    asked["models"] = [{**SMALL, "pool": "slices"}]
    asked["gpu_pools"] = [SLICES, {**shared, "name": "turns", "nodes": {"names": ["turns-0"]}}]
    (refused,) = problems(**asked, fair_sharing={})
    assert refused.startswith("gpu-pools[1].sharing.time-slicing: 4: whoever borrows may come here")
    assert "public, restricted" in refused
    assert planned(**asked, fair_sharing={"borrowing": False})


def test_more_kinds_of_devices_than_kueue_counts_are_refused():
    kinds = {
        "A100-40GB": [
            {"1g.5gb": 2, "2g.10gb": 1, "3g.20gb": 1},
            {"1g.10gb": 1},
            {"4g.20gb": 1},
            {"7g.40gb": 1},
        ],
        "A100-80GB": [
            {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1},
            {"1g.20gb": 1},
            {"4g.40gb": 1},
            {"7g.80gb": 1},
        ],
        "H100-NVL-94GB": [
            {"1g.12gb": 2, "2g.24gb": 1, "3g.47gb": 1},
            {"1g.24gb": 1},
            {"4g.47gb": 1},
            {"7g.94gb": 1},
        ],
    }
    pools = [
        pool(
            name=gpu.lower(),
            gpu=gpu,
            nodes={"names": [gpu.lower()]},
            gpus_per_node=len(cuts),
            sharing={"mig": cuts},
        )
        for gpu, cuts in kinds.items()
    ]
    asked = two(gpu_pools=pools)
    assert planned(**asked), "without queues nothing counts them"
    assert problems(**asked, fair_sharing={}) == [
        "gpu-pools: 17 kinds of devices: Kueue counts at most 16: cut fewer"
    ]
    assert planned(**asked, fair_sharing={}, addons=PLUGIN), "extended resources need no name of their own"


def printed(plan):
    screen = io.StringIO()
    render(plan, Console(file=screen, width=80, no_color=True))
    return screen.getvalue()


def test_the_plan_shows_what_is_whose_and_nothing_where_nothing_is():
    assert "GPUs of tenants" not in printed(planned(**two()))
    text = printed(planned(**two(b={"gpus": {"whole": 3}, "weight": 2}, fair_sharing={"ready-within": 20})))
    table = text[text.index("GPUs of tenants") :].splitlines()
    rows = [row.split() for row in table]
    assert ["b", "slices", "1g.5gb", "0", "0", "6"] in rows
    assert ["whole", "whole", "GPU", "3", "0", "1"] in rows
    assert ["(nobody)", "slices", "1g.5gb", "5"] in rows
    assert "borrowed by weight (a 1, b 2)" in text and "within 20 minutes" in text
    assert max(len(line) for line in text.splitlines()) <= 80
    alone = printed(planned(**two(a={"gpus": {"slices": {"1g.5gb": 2}}})))
    assert "a quota in each namespace keeps to this; nothing is lent" in alone


def test_the_page_has_the_same_table():
    drawn = page(planned(**two(b={"gpus": {"whole": 3}}, fair_sharing={})))
    assert "GPUs of tenants" in drawn and "may borrow" in drawn and "(nobody)" in drawn
    assert "may borrow" not in page(planned(**two()))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"fair_sharing": True}, "fair-sharing: true: use a mapping of borrowing, ready-within"),
        ({"fair_sharing": {"borrowing": 3}}, "fair-sharing.borrowing: 3: use true or false"),
        ({"fair_sharing": {"ready-within": 0}}, "fair-sharing.ready-within: 0: use 1 or more"),
        ({"a": {"gpus": 3}}, "tenants[0].gpus: 3: use a mapping"),
        (
            {"a": {"weight": "2"}, "fair_sharing": {}},
            "tenants[0].weight: 2: use a whole number, without quotes",
        ),
    ],
)
def test_a_value_of_another_type_is_answered_in_the_words_of_a_stack_file(changes, line):
    assert problems(**two(**changes)) == [line]
