"""Classification: what a ticket is about, and therefore where it goes and what it needs. Pure and total."""

from pointsman_routing.classify.classifier import Classification, Classifier, Placement, load

__all__ = ["Classification", "Classifier", "Placement", "load"]
