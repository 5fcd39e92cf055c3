"""We tell: addresses, signing, delivery, retries."""
