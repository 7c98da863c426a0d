// Asks the browser for a passkey, or for a new one. What is said stands in data attributes, in the reader's language.
//
// data-passkey: "check" shows that a session's owner is there, in a form that goes on without a code;
// "answer" and "new" put what the browser says into the form's hidden field and send the form.
const BUTTON = "[data-passkey]";

// Baseline 2025: an older browser is told to use another way.
function known(making) {
  const able = window.PublicKeyCredential;
  return making ? able?.parseCreationOptionsFromJSON : able?.parseRequestOptionsFromJSON;
}

function say(box, text, wrong = false) {
  const line = box.querySelector("[role=status]");
  line.textContent = text;
  line.classList.toggle("bo-error", wrong);
}

async function post(address, form, values = {}) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ csrfmiddlewaretoken: token, ...values });
  const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  const json = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
  if (!answer.ok) throw Object.assign(new Error("refused"), { sentence: json.sentence });
  return json;
}

async function ask(box, form, making) {
  const { publicKey } = await post(box.dataset.options, form);
  const credential = making
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  return JSON.stringify(credential.toJSON());
}

function why(error, texts) {
  if (error.sentence) return error.sentence;
  if (error.name === "InvalidStateError") return texts.there;
  return error.name === "NotAllowedError" || error.name === "AbortError" ? texts.none : texts.failed;
}

// The check is done for some minutes: the field for a code goes, and the form is sent as it is.
function settle(box, form) {
  const done = document.createElement("p");
  done.className = "bo-done";
  done.setAttribute("role", "status");
  done.textContent = box.dataset.done;
  box.closest("[data-either]").closest(".group").replaceWith(done);
  form.querySelector("[type=submit]")?.focus();
}

async function begin(box) {
  const form = box.closest("form");
  const button = box.querySelector("button");
  const { passkey: kind, check, ...texts } = box.dataset;
  if (!known(kind === "new")) return say(box, texts.unsupported, true);
  if (kind === "new" && !form.reportValidity()) return undefined;
  button.disabled = true;
  say(box, texts.waiting);
  try {
    const credential = await ask(box, form, kind === "new");
    if (kind === "check") {
      await post(check, form, { credential });
      return settle(box, form);
    }
    form.elements.credential.value = credential;
    return form.submit();
  } catch (error) {
    button.disabled = false;
    say(box, why(error, texts), true);
    return button.focus();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(`${BUTTON} button`);
  if (button) begin(button.closest(BUTTON));
});
// The second step of signing in asks at once. A browser that wants a click first says no, and the button is there.
for (const box of document.querySelectorAll(`${BUTTON}[data-now]`)) begin(box);
