// Asks every second whether the payment was confirmed, ever slower, and shows the new page when the answer changes.
const order = document.getElementById("order");
const startedAt = Date.now();

async function ask() {
  const waited = Date.now() - startedAt;
  const late = document.getElementById("late");
  if (late && waited > 20_000) {
    late.hidden = false;
    document.getElementById("wait").hidden = true;
  }
  try {
    const answer = await fetch(order.dataset.stateUrl, { headers: { Accept: "application/json" } });
    if (answer.ok && (await answer.json()).status !== order.dataset.status) {
      location.reload();
      return;
    }
  } catch {
    // Offline for a moment: ask again.
  }
  setTimeout(ask, Math.min(1000 + waited / 20, 10_000));
}

setTimeout(ask, 700);
