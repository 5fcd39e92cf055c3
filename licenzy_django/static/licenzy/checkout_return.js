// Asks ever more slowly whether the checkout has changed, and then shows the page anew.
const checkout = document.querySelector("[data-licenzy-state-url]");
const startedAt = Date.now();

async function ask() {
  try {
    const answer = await fetch(checkout.dataset.licenzyStateUrl, { headers: { Accept: "application/json" } });
    if (answer.ok && (await answer.json()).status !== checkout.dataset.licenzyStatus) {
      location.reload();
      return;
    }
  } catch {
    // Offline for a moment: ask again.
  }
  setTimeout(ask, Math.min(1000 + (Date.now() - startedAt) / 20, 10_000));
}

if (checkout) setTimeout(ask, 700);
