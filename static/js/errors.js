// After a form came back with errors, the reader starts at the summary or at the field concerned.
export function focusErrors() {
  const place =
    document.querySelector("[data-error-summary]") ??
    document.querySelector("main [aria-invalid=true]");
  place?.focus();
}
