// A pasted code often brings spaces or a dash along; the field keeps its digits.
export function bindCode(root) {
  for (const field of root.querySelectorAll("input[autocomplete=one-time-code]")) {
    field.addEventListener("input", () => {
      const digits = field.value.replace(/\D/g, "");
      if (digits !== field.value) field.value = digits;
    });
    field.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text") ?? "";
      const digits = text.replace(/\D/g, "");
      if (!digits) return;
      event.preventDefault();
      field.value = digits.slice(0, field.maxLength > 0 ? field.maxLength : undefined);
    });
  }
}
