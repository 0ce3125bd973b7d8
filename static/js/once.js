// A form that was sent is busy until the answer: a second click sends nothing.
const BUSY_MS = 15_000;

function release(form) {
  delete form.dataset.busy;
  for (const button of form.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

export function guardSubmits() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.busy !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.busy = "";
    event.submitter?.setAttribute("aria-busy", "true");
    event.submitter?.setAttribute("aria-disabled", "true");
    // An answer that is a download, or none at all, leaves the page standing. Sending a file may take long.
    if (form.enctype !== "multipart/form-data") setTimeout(() => release(form), BUSY_MS);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-busy]")) release(form);
  });
}
