// Times in the reader's zone with their age, and one-click copies. No inline scripts anywhere.
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

  // The server decides who sees a revealed value and for how long; this takes it off a page that stays open.
  function hideRevealed(root) {
    for (const element of root.querySelectorAll(".bo-revealed:not([data-ends])")) {
      element.dataset.ends = "1";
      setTimeout(() => {
        element.textContent = "••••••";
        element.title = "";
        element.className = "bo-mask";
      }, Number(element.dataset.seconds) * 1000);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    localise(document);
    hideRevealed(document);
  });
  document.addEventListener("htmx:afterSwap", (event) => localise(event.target));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    event.preventDefault();
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("bo-copied");
    setTimeout(() => button.classList.remove("bo-copied"), 1200);
  });
})();
