// What keyboards and screen readers need beyond the theme: names, and dialogs that take and give back the focus.
(() => {
  // The icons are a font: without this a screen reader says "lock_open Unlock". One that stands alone becomes a name.
  function hush(root) {
    const names = document.getElementById("bo-names")?.dataset ?? {};
    for (const icon of root.querySelectorAll(".material-symbols-outlined")) {
      icon.setAttribute("aria-hidden", "true");
      const owner = icon.closest("a, button");
      if (!owner || owner.ariaLabel || owner.title) continue;
      const rest = owner.cloneNode(true);
      for (const other of rest.querySelectorAll(".material-symbols-outlined")) other.remove();
      const name = names[icon.textContent.trim()];
      if (rest.textContent.trim()) continue;
      if (name) owner.setAttribute("aria-label", name);
      else icon.removeAttribute("aria-hidden");
    }
  }

  document.addEventListener("DOMContentLoaded", () => hush(document));
  document.addEventListener("htmx:afterSwap", (event) => hush(event.target));

  // The theme hides a page until it is ready, and what is hidden can't take the focus that `autofocus` asks for.
  function focusFirst() {
    if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
  }

  document.addEventListener("alpine:initialized", () => setTimeout(focusFirst));

  // Dialogs: the keyboard goes in, stays in, and comes back to the button that opened it.
  const REACHED = "a[href], button:not([disabled]), input:not([type=hidden]), select, textarea";
  let opener = null;
  let open = false;

  function reached(root) {
    return [...root.querySelectorAll(REACHED)].filter((element) => element.getClientRects().length > 0);
  }

  function watchDialog() {
    const content = document.getElementById("modal-content");
    if (!content) return;
    new MutationObserver(() => {
      const shown = content.getClientRects().length > 0;
      if (shown === open) return;
      open = shown;
      if (open) (reached(content).find((element) => element.matches("input, select, textarea")) ?? reached(content)[0])?.focus();
      else opener?.focus();
    }).observe(content.parentElement, { attributes: true, attributeFilter: ["style"] });
    content.addEventListener("keydown", (event) => {
      if (event.key !== "Tab") return;
      const all = reached(content);
      const [edge, next] = event.shiftKey ? [all[0], all[all.length - 1]] : [all[all.length - 1], all[0]];
      if (document.activeElement !== edge) return;
      event.preventDefault();
      next.focus();
    });
  }

  document.addEventListener("DOMContentLoaded", watchDialog);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.getAttribute("hx-target") === "#modal-content") opener = event.target;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    event.target.querySelector("[aria-invalid=true]")?.focus();
  });
})();
