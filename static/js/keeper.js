// Keeps what was typed in a form for this tab, so that a session that ended, a closed dialog or a
// lost connection costs no text. Kept until a page reports success, or until logging out.
// Never kept: passwords, codes, files, hidden fields, and forms marked data-keep="off".
const PREFIX = "filevault:typed:";
const KEPT = "textarea, input:is([type=text], [type=email], [type=tel], [type=url], [type=number], [type=date], :not([type])), select";

function fieldsOf(form) {
  return [...form.querySelectorAll(KEPT)].filter(
    (field) => field.name && field.autocomplete !== "one-time-code" && !field.autocomplete.includes("password"),
  );
}

function keyOf(form) {
  const name = form.id || form.getAttribute("action") || "";
  return `${PREFIX}${document.body.dataset.who ?? ""}:${location.pathname}:${name}`;
}

function keptForms() {
  return [...document.querySelectorAll("form")].filter(
    (form) => form.method === "post" && form.dataset.keep !== "off" && fieldsOf(form).length > 0,
  );
}

function initial(field) {
  if (field.tagName !== "SELECT") return field.defaultValue;
  return [...field.options].find((option) => option.defaultSelected)?.value ?? field.options[0]?.value ?? "";
}

function save(form) {
  const typed = fieldsOf(form).filter((field) => field.value !== initial(field));
  const values = Object.fromEntries(typed.map((field) => [field.name, field.value]));
  try {
    if (typed.length) sessionStorage.setItem(keyOf(form), JSON.stringify({ values, sent: false }));
    else sessionStorage.removeItem(keyOf(form));
  } catch {
    // A full or forbidden storage costs only the convenience.
  }
}

function forget(test) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && test(key)) sessionStorage.removeItem(key);
  }
}

/** On the way out: what was typed, and what uploader-resume.js keeps of interrupted uploads. */
function forgetAll() {
  forget(() => true);
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("filevault:upload:")) localStorage.removeItem(key);
  }
}

function markSent(form) {
  const kept = sessionStorage.getItem(keyOf(form));
  if (kept) sessionStorage.setItem(keyOf(form), JSON.stringify({ ...JSON.parse(kept), sent: true }));
}

function restore(form) {
  const kept = JSON.parse(sessionStorage.getItem(keyOf(form)) ?? "null");
  if (!kept || form.querySelector("[aria-invalid=true]")) return;
  let restored = false;
  for (const field of fieldsOf(form)) {
    if (kept.values[field.name] === undefined || field.value !== initial(field)) continue;
    field.value = kept.values[field.name];
    restored = true;
  }
  if (restored) offerDiscard(form);
}

function offerDiscard(form) {
  const note = document.querySelector("template[data-kept-note]")?.content.firstElementChild.cloneNode(true);
  if (!note) return;
  form.prepend(note);
  note.querySelector("button").addEventListener("click", () => {
    sessionStorage.removeItem(keyOf(form));
    form.reset();
    note.remove();
    fieldsOf(form)[0].focus();
  });
}

export function bindTextKeeper() {
  if (document.querySelector("[data-messages] .success")) {
    forget((key) => JSON.parse(sessionStorage.getItem(key)).sent);
  }
  for (const form of keptForms()) restore(form);
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && keptForms().includes(form)) save(form);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-forget-text]")) forgetAll();
    else markSent(event.target);
  });
}
