"""Is this a secret? A form alone (``whsec_…``) is none, and what stands in documentation or code everybody knows."""

from __future__ import annotations

import re

# After its prefix a secret of Stripe's has letters and digits only: 32 in an endpoint's, 64 in that of the CLI, and 24
# or more in a key. Ours that are public have underscores, so that nobody's check takes one for a secret.
FORM = re.compile(r"(?:whsec|(?:sk|rk)_(?:test|live))_(.*)", re.DOTALL)
FEWEST_CHARACTERS = 24
FEWEST_DIFFERENT = 8
# Long enough that no random text has one by chance.
PLACEHOLDER = re.compile(r"change.?me|example|placeholder|replace|secret|xxxxxx|123456|abcdef", re.IGNORECASE)


def problem_of(secret: str) -> str:
    """Why this can be no secret of Stripe's; empty for one that can, and for none at all."""
    if not secret:
        return ""
    if any(character.isspace() for character in secret):
        return "it has blanks"
    found = FORM.fullmatch(secret)
    rest = found[1] if found else ""
    if not rest:
        return "it is a prefix and no more"
    if PLACEHOLDER.search(rest):
        return "it is a placeholder"
    if not (rest.isascii() and rest.isalnum()):
        return "it has other characters than letters and digits"
    if len(rest) < FEWEST_CHARACTERS:
        return f"it is shorter than {FEWEST_CHARACTERS} characters"
    if len(set(rest)) < FEWEST_DIFFERENT:
        return "it repeats a few characters"
    return ""
