// Keeps what was typed in a form for this tab, so that a session that ended, a closed dialog or a
// lost connection costs no text. Kept until a page reports success, or until logging out.
// Never kept: passwords, codes, files, hidden fields, and forms marked data-keep="off".
import { Kept } from "./kept.js";

const typed = new Kept("sessionStorage", "filevault:typed:");
const interrupted = new Kept("localStorage", "filevault:upload:");
const KEPT = "textarea, input:is([type=text], [type=email], [type=tel], [type=url], [type=number], [type=date], :not([type])), select";

function fieldsOf(form) {
  return [...form.querySelectorAll(KEPT)].filter(
    (field) => field.name && field.autocomplete !== "one-time-code" && !field.autocomplete.includes("password"),
  );
}

function keyOf(form) {
  const name = form.id || form.getAttribute("action") || "";
  return `${document.body.dataset.who ?? ""}:${location.pathname}:${name}`;
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
  const changed = fieldsOf(form).filter((field) => field.value !== initial(field));
  const values = Object.fromEntries(changed.map((field) => [field.name, field.value]));
  if (changed.length) typed.set(keyOf(form), { values, sent: false });
  else typed.delete(keyOf(form));
}

/** On the way out: what was typed, and what uploader-resume.js keeps of interrupted uploads. */
function forgetAll() {
  for (const kept of [typed, interrupted]) {
    for (const key of kept.keys) kept.delete(key);
  }
}

function markSent(form) {
  const kept = typed.get(keyOf(form));
  if (kept) typed.set(keyOf(form), { ...kept, sent: true });
}

function restore(form) {
  const kept = typed.get(keyOf(form));
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
    typed.delete(keyOf(form));
    form.reset();
    note.remove();
    fieldsOf(form)[0].focus();
  });
}

export function bindTextKeeper() {
  if (document.querySelector("[data-messages] .success")) {
    for (const key of typed.keys.filter((each) => typed.get(each)?.sent)) typed.delete(key);
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
