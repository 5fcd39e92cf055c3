"""From a Stripe payment to the right to use something."""

__all__ = ["__version__"]
__version__ = "0.1.0.dev0"
