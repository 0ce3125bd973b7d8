// data-copy="#id" (or data-copy-text="…") on a hidden button: shown where copying works.
export function bindCopy(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy], button[data-copy-text]")) {
    button.hidden = false;
    const label = button.querySelector("[data-label]") ?? button;
    const before = label.textContent;
    button.addEventListener("click", async () => {
      const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
      const text = source ? (source.value ?? source.textContent.trim()) : button.dataset.copyText;
      await navigator.clipboard.writeText(text);
      label.setAttribute("aria-live", "polite");
      label.textContent = button.dataset.copied ?? before;
      setTimeout(() => {
        label.textContent = before;
      }, 4000);
    });
  }
}
