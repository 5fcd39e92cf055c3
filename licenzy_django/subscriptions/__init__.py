"""Change, cancel and resume a subscription at Stripe. Nothing is granted by an answer: rights follow what Stripe says.

Each verb has an async twin: ``achange``, ``acancel`` …
"""

from asgiref.sync import sync_to_async

from licenzy_django.subscriptions.changing import Changed, Preview, PreviewLine, change, preview
from licenzy_django.subscriptions.ending import Canceled, Resumed, cancel, resume
from licenzy_django.subscriptions.receipts import Invoice, invoices

apreview = sync_to_async(preview)
achange = sync_to_async(change)
acancel = sync_to_async(cancel)
aresume = sync_to_async(resume)
ainvoices = sync_to_async(invoices)

__all__ = [
    "Canceled",
    "Changed",
    "Invoice",
    "Preview",
    "PreviewLine",
    "Resumed",
    "acancel",
    "achange",
    "ainvoices",
    "apreview",
    "aresume",
    "cancel",
    "change",
    "invoices",
    "preview",
    "resume",
]
