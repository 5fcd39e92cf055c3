"""What a host may set on Stripe's payment page, in Stripe's own words, and what it may not.

The lists are ours: a parameter of Stripe's that is in none of them is refused, and a test against the installed
``stripe`` package fails until somebody decides about it.
"""

from licenzy_django.checkout_options.merging import completed, merged, on_page_of
from licenzy_django.checkout_options.rules import Problem, problems_of

__all__ = ["Problem", "completed", "merged", "on_page_of", "problems_of"]
