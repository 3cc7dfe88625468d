"""PriorityClasses of models and of what runs beside them."""

from corral.components.priority_classes.component import BATCH, PriorityClasses, PriorityClassesArgs

__all__ = ["BATCH", "PriorityClasses", "PriorityClassesArgs"]
