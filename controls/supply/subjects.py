"""What the cases of supply share."""

from typing import Any


def pod(*images: Any, **spec: Any) -> dict[str, Any]:
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


HEX = "a" * 64
