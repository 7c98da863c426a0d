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

  // The theme's page has no main part, a side bar without a name, and scrolled parts that are all called the same.
  function nameParts() {
    const names = document.getElementById("bo-names")?.dataset ?? {};
    const main = document.getElementById("main") ?? document.getElementById("page");
    const bar = document.getElementById("nav-sidebar-inner");
    main?.setAttribute("role", "main");
    if (!bar) return;
    main.tabIndex = -1;
    bar.setAttribute("aria-label", names.navigation);
    bar.querySelector("[data-simplebar]")?.setAttribute("data-simplebar-aria-label", names.navigation);
    const command = document.getElementById("search-input-command")?.closest("[x-data]");
    Object.assign(command ?? {}, { role: "dialog", ariaModal: "true", ariaLabel: names.search });
    const skip = document.createElement("a");
    Object.assign(skip, { href: "#main", className: "bo-skip", textContent: names.skip });
    document.body.prepend(skip);
  }

  document.addEventListener("DOMContentLoaded", () => {
    hush(document);
    nameParts();
  });
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
    // The dialog's answer took its place: a secret that is shown once.
    if (open && event.target.id === "modal-content") reached(event.target)[0]?.focus();
  });
})();

// Ctrl+K, wherever the focus is, and Enter: opens what is chosen, or the only answer to what stands there once it came.
(() => {
  const BOX = "search-input-command";
  let hurried = false;
  // What the answers on the page answer; null while they are owed.
  let answered = null;

  const box = () => document.getElementById(BOX);
  const answers = () => document.getElementById("command-results");
  const found = () => answers().querySelectorAll("#command-results-list li a");
  const ready = () => answered !== null && answered === box().value;

  function forget() {
    hurried = false;
    answered = null;
    answers().replaceChildren();
  }

  // One answer is opened; of several the first is chosen, and the next Enter opens it.
  function decide() {
    hurried = false;
    if (found().length === 1) location.assign(found()[0].href);
    else choose();
  }

  function choose() {
    box().dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && box()) {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (box().getClientRects().length > 0) box().focus();
        else window.dispatchEvent(new CustomEvent("opencommand"));
      }
      // Enter waits for the answers to the text that stands there, and never takes those to another one.
      if (event.key === "Enter" && event.target.id === BOX && !(ready() && answers().querySelector("li.active"))) {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (ready()) decide();
        else hurried = true;
      }
    },
    true,
  );

  // What was typed before is no answer to what is typed now: nobody opens the wrong person.
  document.addEventListener("input", (event) => {
    if (event.target.id === BOX) forget();
  });

  // Escape empties the box without an `input`.
  document.addEventListener("keyup", (event) => {
    if (event.target.id === BOX && event.key === "Escape") forget();
  });

  // The name with a hyphen: the theme listens to it too, and is done when it arrives here.
  document.addEventListener("htmx:after-swap", (event) => {
    if (event.target.id !== "command-results") return;
    const asked = new URLSearchParams(event.detail.pathInfo.finalRequestPath.split("?")[1]).get("s");
    if (asked !== box().value) {
      answers().replaceChildren();
      return;
    }
    answered = asked;
    if (hurried) decide();
    else choose();
  });
})();
