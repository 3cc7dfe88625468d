"""Images on nodes before a pod needs them."""

from corral.components.pre_pulled_images.component import PrePulledImages, PrePulledImagesArgs, PrePulledPool

__all__ = ["PrePulledImages", "PrePulledImagesArgs", "PrePulledPool"]
