// Sentences come translated from the page (<template data-words>); here they get their values.
import { locale } from "./locale.js";

const plural = new Intl.PluralRules(locale);
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const UNITS = ["KB", "MB", "GB", "TB"];

// What turns the direction of a text around, or that nobody sees: "in\u202efdp.exe" reads as a PDF.
const DECEIVING = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** A file's name as it can be shown before the server has cleaned it. */
export function shown(name) {
  return name.replace(DECEIVING, "");
}

export function size(bytes) {
  if (bytes < 1024) return `${whole.format(bytes)}\u00a0B`;
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${(value < 10 ? tenth : whole).format(value)}\u00a0${UNITS[unit]}`;
}

export class Words {
  constructor(template) {
    this.sentences = new Map(
      [...template.content.querySelectorAll("[data-word]")].map((element) => [element.dataset.word, element.textContent.trim()]),
    );
  }

  has(key) {
    return this.sentences.has(key);
  }

  say(key, values = {}) {
    const sentence = this.sentences.get(key) ?? "";
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** `key.one` or `key.other`, by the language's own rule. */
  count(key, number) {
    const form = this.has(`${key}.${plural.select(number)}`) ? plural.select(number) : "other";
    return this.say(`${key}.${form}`, { count: whole.format(number) });
  }

  /** How far something is. `toGo` are the bytes whose time is told, by `speed`; 0 tells none. */
  progress({ done, total, toGo, speed }) {
    const percent = total ? Math.floor((done / total) * 100) : 0;
    const parts = [`${percent}\u00a0%`, this.say("sizeOf", { sent: size(done), total: size(total) })];
    const left = toGo ? speed.left(toGo) : null;
    if (left) {
      parts.push(this.say("perSecond", { speed: size(speed.value) }));
      parts.push(this.say("left", { time: this.duration(left) }));
    }
    return parts.join(" · ");
  }

  /** In steps that don't flicker. */
  duration(seconds) {
    if (seconds < 90) return this.say("seconds", { count: whole.format(Math.max(5, Math.ceil(seconds / 5) * 5)) });
    if (seconds < 5400) return this.say("minutes", { count: whole.format(Math.ceil(seconds / 60)) });
    return this.say("hours", { count: tenth.format(seconds / 3600) });
  }
}
