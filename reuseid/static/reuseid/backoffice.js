// Times with their age, the reader's zone, and one-click copies. No inline scripts anywhere.
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

  function written(moment) {
    return (
      `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ` +
      `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`
    );
  }

  function localise(root) {
    for (const element of root.querySelectorAll("time.bo-time:not([data-local])")) {
      const moment = new Date(element.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      element.dataset.local = "1";
      element.textContent = written(moment);
      const small = document.createElement("span");
      small.className = "bo-age";
      small.textContent = age(moment);
      element.append(" ", small);
    }
  }

  // The server decides who sees a revealed value and for how long; this takes it off a page that stays open, also one
  // that slept meanwhile.
  const revealed = new Map();

  function hideRevealed() {
    for (const [element, end] of revealed) {
      if (Date.now() < end) continue;
      revealed.delete(element);
      element.textContent = element.dataset.after ?? "••••••";
      element.title = "";
      if (!element.dataset.after) element.className = "bo-mask";
    }
  }

  function watchRevealed(root) {
    for (const element of root.querySelectorAll("[data-seconds]:not([data-watched])")) {
      element.dataset.watched = "1";
      const seconds = Number(element.dataset.seconds);
      revealed.set(element, Date.now() + seconds * 1000);
      setTimeout(hideRevealed, seconds * 1000);
    }
  }

  document.addEventListener("visibilitychange", hideRevealed);
  window.addEventListener("pageshow", hideRevealed);

  // What is left, counted down: the server's figure is where it starts.
  function countDown() {
    for (const element of document.querySelectorAll("[data-counts]")) {
      element.dataset.end ??= String(Date.now() + Number(element.dataset.counts) * 1000);
      const seconds = Math.max(0, Math.round((Number(element.dataset.end) - Date.now()) / 1000));
      element.textContent = `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
    }
  }

  function dress(root) {
    localise(root);
    watchRevealed(root);
    countDown();
  }

  // The server draws charts, begins "today" and reads days that are typed by this clock.
  function tellZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `reuseid_zone=${zone}; Path=/admin/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  // The answer to a form that must not be sent twice: to load it again loads what came of it.
  function takeAddress() {
    const page = document.querySelector("[data-address]");
    if (page) history.replaceState(null, "", page.dataset.address);
  }

  document.addEventListener("DOMContentLoaded", () => {
    tellZone();
    takeAddress();
    dress(document);
    setInterval(countDown, 1000);
  });
  document.addEventListener("htmx:afterSwap", (event) => dress(event.target));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    event.preventDefault();
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("bo-copied");
    setTimeout(() => button.classList.remove("bo-copied"), 1200);
  });
})();

// Parts that refresh themselves: an opened table stays open, and a session that ended shows the sign-in page.
(() => {
  let open = [];

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (!target?.matches?.("[data-refreshes]")) return;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname !== event.detail.pathInfo.requestPath.split("?")[0]) {
      event.detail.shouldSwap = false;
      location.reload();
      return;
    }
    open = [...target.querySelectorAll("details[open]")].map((details) => details.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    open = [];
  });
})();

// Fields that belong to one choice of a form: shown while it is chosen.
(() => {
  function fit() {
    const chosen = {};
    for (const select of document.querySelectorAll("[data-chooses]")) chosen[select.dataset.chooses] = select;
    for (const field of document.querySelectorAll("[data-for]")) {
      const [name, values] = field.dataset.for.split(":");
      const select = chosen[name];
      const away = select?.closest("[data-for]")?.hidden;
      field.hidden = Boolean(select) && (away || !values.split(",").includes(select.value));
    }
  }

  document.addEventListener("DOMContentLoaded", fit);
  document.addEventListener("change", fit);
})();
