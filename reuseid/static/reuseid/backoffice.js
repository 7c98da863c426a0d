// Times in the reader's zone with their age, dialogs for the keyboard, one-click copies. No inline scripts anywhere.
(() => {
  const two = (number) => String(number).padStart(2, "0");

  function age(moment) {
    const seconds = Math.round((moment - Date.now()) / 1000);
    const far = Math.abs(seconds);
    const [size, unit] =
      far < 60 ? [1, "second"] : far < 3600 ? [60, "minute"] : far < 172800 ? [3600, "hour"] : [86400, "day"];
    const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { style: "short" });
    return words.format(Math.trunc(seconds / size), unit);
  }

  function localise(root) {
    for (const element of root.querySelectorAll("time.bo-time:not([data-local])")) {
      const moment = new Date(element.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      element.dataset.local = "1";
      element.textContent =
        `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ` +
        `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
      const small = document.createElement("span");
      small.className = "bo-age";
      small.textContent = age(moment);
      element.append(" ", small);
    }
  }

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

  for (const prepare of [localise, hush]) {
    document.addEventListener("DOMContentLoaded", () => prepare(document));
    document.addEventListener("htmx:afterSwap", (event) => prepare(event.target));
  }

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
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    event.preventDefault();
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("bo-copied");
    setTimeout(() => button.classList.remove("bo-copied"), 1200);
  });
})();
