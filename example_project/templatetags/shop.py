"""For the demo's time machine: who has access to what, now."""

from django import template

from licenzy_django import access
from licenzy_django.models import Subject

register = template.Library()


@register.simple_tag
def newest_subjects(count: int = 8) -> list[access.AccessSummary]:
    """What the newest subjects have, at the simulated time."""
    refs = Subject.objects.filter(mode="test").order_by("-pk").values_list("subject_ref", flat=True)
    return [access.summary(ref, mode="test") for ref in refs[:count]]
