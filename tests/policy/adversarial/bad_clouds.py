"""Cloud resources: each setting broken in each of the forms that a provider takes it in."""

from collections.abc import Iterator

from tests.policy.adversarial import cloud_models
from tests.policy.adversarial.cloud_buckets import buckets
from tests.policy.adversarial.cloud_identities import principals, wildcards
from tests.policy.adversarial.cloud_openings import world
from tests.policy.adversarial.cloud_parts import KEY
from tests.policy.adversarial.cloud_places import copies, regions
from tests.policy.adversarial.cloud_settings import clusters, plain_data
from tests.policy.adversarial.stacks import Entry


def bad() -> Iterator[Entry]:
    for title, control, token, props, provider in regions():
        yield Entry(title, control, token, props, provider=provider)
    for title, token, props in copies():
        yield Entry(f"copy: {title}", "SOV-RES-04|SOV-RES-03|SOV-RES-01|SOV-RES-02|SOV-RES-09", token, props)
    for title, control, token, props in world():
        yield Entry(title, control, token, props)
    for title, token, props in principals():
        yield Entry(f"everybody: {title}", "SOV-NET-14|SOV-KEY-08|SOV-NET-13", token, props)
    for title, token, props in wildcards():
        yield Entry(f"wildcard: {title}", "SOV-OPS-09", token, props)
    for title, control, token, props in plain_data():
        yield Entry(f"plain: {title}", control, token, props)
    for title, control, token, props in clusters():
        yield Entry(title, control, token, props)
    yield from buckets()
    for title, token, props in cloud_models.bad():
        yield Entry(f"run by a cloud: {title}", "SOV-MOD-01|SOV-MOD-02|SOV-MOD-03", token, props)
    for title, token, props in cloud_models.elsewhere():
        yield Entry(title, "SOV-RES-04", token, props)
    token = "aws:bedrock/customModel:CustomModel"
    hosted = {"customModelKmsKeyId": KEY}
    yield Entry("a hosted model", "SOV-LCK-01", token, hosted, profile="eu-sovereign")
