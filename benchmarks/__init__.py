"""How licenzy-django compares: ``make bench``. Not installed with the package."""
