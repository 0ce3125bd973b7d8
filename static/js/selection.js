// Files ticked in a list: how many and how large, all at once, and kept when the list is drawn anew.
// Without this module each tick still counts: the boxes belong to a plain form.
import { Words, size } from "./uploader-words.js";

// By the form's address, which is the space's own: what is ticked outlives the element.
const kept = new Map();

const boxesOf = (form) => [...document.querySelectorAll(`input[type=checkbox][form="${form.id}"]`)];
const part = (form, name) => form.querySelector(`[data-part=${name}]`);

function draw(form) {
  const boxes = boxesOf(form);
  const ticked = boxes.filter((box) => box.checked);
  kept.set(form.action, new Set(ticked.map((box) => box.value)));
  const all = part(form, "all").querySelector("input");
  all.checked = ticked.length > 0 && ticked.length === boxes.length;
  all.indeterminate = ticked.length > 0 && !all.checked;
  part(form, "all").hidden = boxes.length === 0;
  part(form, "clear").hidden = ticked.length === 0;
  part(form, "actions").hidden = ticked.length === 0;
  form.toggleAttribute("data-some", ticked.length > 0);
  const tooMany = ticked.length > Number(form.dataset.most);
  form.querySelector("[type=submit]").disabled = tooMany;
  part(form, "count").textContent = ticked.length ? sentence(form, ticked, tooMany) : "";
}

function sentence(form, ticked, tooMany) {
  const words = new Words(form.querySelector("template[data-words]"));
  const bytes = ticked.reduce((sum, box) => sum + Number(box.dataset.size), 0);
  const said = `${words.count("selected", ticked.length)} · ${size(bytes)}`;
  return tooMany ? `${said}. ${words.say("tooMany")}` : said;
}

function tick(boxes, checked) {
  for (const box of boxes) box.checked = checked;
}

function bind(form) {
  form.dataset.bound = "";
  const before = kept.get(form.action);
  if (before) for (const box of boxesOf(form)) box.checked ||= before.has(box.value);
  part(form, "all").addEventListener("change", (event) => {
    tick(boxesOf(form), event.target.checked);
    draw(form);
  });
  form.addEventListener("reset", () => {
    tick(boxesOf(form), false);
    draw(form);
    part(form, "all").querySelector("input").focus();
  });
}

/** Bind the forms that are new, and count anew: rows may have come or gone. */
export function bindSelections() {
  for (const form of document.querySelectorAll("form[data-selection]")) {
    if (form.dataset.bound === undefined) bind(form);
    draw(form);
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.name === "file" && target.form?.matches("[data-selection]")) draw(target.form);
});
// Going back puts ticks where they were, and says so to nobody.
window.addEventListener("pageshow", bindSelections);
