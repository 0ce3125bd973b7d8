// <time datetime data-local> in the reader's own time zone; data-local is date (the default),
// datetime or relative. What the server wrote stays where the browser can't read it.
import { locale } from "./locale.js";

const formats = {
  date: new Intl.DateTimeFormat(locale, { dateStyle: "medium" }),
  datetime: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }),
};
const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const steps = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

function fromNow(date) {
  const seconds = (date - Date.now()) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return formats.date.format(date);
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, "second");
}

export function localiseTimes(root) {
  for (const element of root.querySelectorAll("time[data-local]")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    const style = element.dataset.local || "date";
    element.textContent = style === "relative" ? fromNow(date) : formats[style].format(date);
    element.title = full.format(date);
  }
}
