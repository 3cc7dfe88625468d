"""Pulumi's event log, told in few lines."""

from corral.embedded.engine.events import EventReporter

STACK = "urn:pulumi:dev::corral::pulumi:pulumi:Stack::corral-dev"


def urn(kind, name):
    return f"urn:pulumi:dev::corral::corral:index:KServe${kind}::{name}"


def step(op, kind, name, custom=True):
    state = {"custom": custom}
    return {"op": op, "urn": urn(kind, name), "type": kind, "new": state, "old": state}


def begun(*arguments, planning=False):
    return {"resourcePreEvent": {"metadata": step(*arguments), "planning": planning}}


def finished(*arguments, planning=False):
    return {"resOutputsEvent": {"metadata": step(*arguments), "planning": planning}}


def message(severity, text, about=STACK, ephemeral=False):
    return {
        "diagnosticEvent": {
            "severity": severity,
            "message": text,
            "urn": about,
            "ephemeral": ephemeral,
        }
    }


def finding(name, text, level, about):
    return {
        "policyEvent": {
            "policyName": name,
            "message": text,
            "enforcementLevel": level,
            "resourceUrn": about,
        }
    }


def summary(changes, preview, result="succeeded", packs=()):
    return {
        "summaryEvent": {
            "isPreview": preview,
            "resourceChanges": changes,
            "result": result,
            "PolicyPacks": {f"{pack}|local|/somewhere": "" for pack in packs},
        }
    }


def lines_of(*events, changes=False):
    lines = []
    reporter = EventReporter(lines.append, changes=changes)
    for event in events:
        reporter.handle(event)
    return lines, reporter


SECRET = ("create", "kubernetes:core/v1:Secret", "key")
CHART = ("update", "kubernetes:helm.sh/v3:Release", "chart")
SAME = ("same", "kubernetes:core/v1:Namespace", "old")
COMPONENT = ("create", "corral:index:KServe", "kserve", False)


def test_each_changed_object_has_one_line_with_its_place_in_the_count():
    lines, _ = lines_of(
        *(finished(*one, planning=True) for one in (SECRET, CHART, SAME, COMPONENT)),
        summary({"create": 2, "update": 1, "same": 1}, True),
        *(begun(*one) for one in (SECRET, CHART, SAME, COMPONENT)),
        *(finished(*one) for one in (CHART, SECRET, SAME, COMPONENT)),
        summary({"create": 2, "update": 1, "same": 1}, False),
    )
    assert lines == [
        "preview: 2 to create, 1 unchanged, 1 to update (0 s)",
        "[1/2] ~ Release chart",
        "[2/2] + Secret key",
        "update: 2 created, 1 unchanged, 1 updated (0 s)",
    ]


def test_a_preview_alone_names_every_change():
    lines, _ = lines_of(
        *(finished(*one, planning=True) for one in (SECRET, SAME)),
        summary({"create": 1, "same": 1}, True),
        changes=True,
    )
    assert lines == ["+ Secret key", "preview: 1 to create, 1 unchanged (0 s)"]


def test_a_warning_of_both_phases_is_said_once():
    warning = message("warning", "a chart is old\n")
    lines, _ = lines_of(warning, summary({}, True), warning, summary({}, False))
    assert [line for line in lines if "chart is old" in line] == ["warning: a chart is old"]


def test_the_two_warnings_about_our_own_provider_are_one_short_line():
    path = message("warning", "using pulumi-resource-kubernetes from $PATH at /opt/bin/x")
    version = message(
        "warning",
        "resource plugin kubernetes is expected to have version >=4.34.2, but has 4.25.0; "
        "the wrong version may be on your path\nor a bug",
    )
    lines, _ = lines_of(path, version)
    assert lines == ["warning: the provider kubernetes is 4.25.0, its SDK would like 4.34.2"]


def test_an_error_is_told_in_full_and_counted():
    text = "Program failed:\nTraceback\n  File x\nException: boom"
    lines, reporter = lines_of(message("error", text, urn("kubernetes:core/v1:Secret", "key")))
    assert lines == [f"error: Secret key: {text}"]
    assert reporter.errors == 1


def test_debug_messages_and_status_messages_are_not_lines_of():
    assert lines_of(message("debug", "props"), message("info", "Waiting", ephemeral=True))[0] == []


def test_advice_is_counted_by_policy_and_a_violation_is_told_in_full():
    about = urn("kubernetes:core/v1:Secret", "key")
    lines, _ = lines_of(
        *(
            finding("sov-sup-02", f"Every image is pinned.\n{place}", "advisory", about)
            for place in ("one", "two")
        ),
        finding("sov-net-01", "No public service.\nService x is public", "mandatory", about),
        summary({"create": 1}, True, "failed", packs=["corral-sovereignty"]),
    )
    assert lines == [
        "refused: Secret key: sov-net-01\n  No public service.\n  Service x is public",
        "corral-sovereignty: 1 violations",
        "advice SOV-SUP-02 (x2): Every image is pinned.",
        "preview: 1 to create, failed (0 s)",
    ]


def test_what_takes_long_is_named_once_with_what_it_said_last():
    lines, reporter = lines_of(
        begun(*CHART),
        begun(*SECRET),
        message("info", "[1/2] Waiting\nfor pods", urn(CHART[1], "chart"), ephemeral=True),
    )
    reporter.waiting()
    reporter.waiting()
    assert lines == ["[0/0]   0 s for Release chart and 1 more: [1/2] Waiting for pods"]


def test_nothing_is_said_while_nothing_is_under_way():
    lines, reporter = lines_of()
    reporter.waiting()
    assert lines == []


def test_a_failed_object_is_no_longer_waited_for():
    lines, reporter = lines_of(begun(*SECRET), {"resOpFailedEvent": {"metadata": step(*SECRET)}})
    reporter.waiting()
    assert lines == ["[0/0] ! Secret key failed, 0 s"]


def test_how_long_each_phase_took_is_kept():
    _, reporter = lines_of(summary({}, True), summary({}, False))
    assert reporter.seconds.keys() == {"preview", "update"}


def stack(old, new):
    """The event that tells the outputs of the stack."""
    both = {"old": {"outputs": old}, "new": {"outputs": new}}
    step = {"op": "same", "urn": STACK, "type": "pulumi:pulumi:Stack", **both}
    return {"resOutputsEvent": {"metadata": step, "planning": True}}


def test_a_preview_that_changes_neither_resource_nor_output_is_idle():
    same = {"bucket": "s3://models"}
    assert lines_of(stack(same, same), summary({"same": 9}, preview=True))[1].idle
    lines, reporter = lines_of(stack(same, same), summary({"same": 9, "read": 4}, preview=True))
    assert reporter.idle, "what is only read is of others"
    assert lines[-1].startswith("preview: 9 unchanged (")
    assert not lines_of(stack(same, same), summary({"same": 9, "update": 1}, preview=True))[1].idle
    assert not lines_of(stack(same, {}), summary({"same": 9}, preview=True))[1].idle
    assert not lines_of(stack(same, same), summary({"same": 9}, preview=False))[1].idle
    begun = stack({}, {"bucket": "s3://other"})
    assert lines_of(begun, stack(same, same), summary({"same": 9}, preview=True))[1].idle, (
        "the last word counts"
    )
