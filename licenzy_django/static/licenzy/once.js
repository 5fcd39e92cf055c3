// A second click would do nothing more; this only spares the operator the wondering.
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("[type=submit]")) setTimeout(() => { button.disabled = true; });
});
