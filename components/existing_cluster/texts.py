"""Kubeconfigs as kubectl reads them."""

import yaml

_NULL, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"


class Texts(yaml.SafeLoader):
    """Reads what stands without quotes as text, as kubectl does where a name is needed: `5`, `on`, a date."""

    yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in known if tag in (_NULL, _MERGE)]
        for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
