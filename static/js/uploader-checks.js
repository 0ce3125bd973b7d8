// What can be told about a file before a byte is sent.

export function extensionOf(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

/** `types` maps extensions (with or without their dot) to media types. */
export class Rules {
  constructor({ types, maxSize }) {
    this.types = new Map(
      Object.entries(types).map(([extension, type]) => [extension.replace(/^\./, "").toLowerCase(), type]),
    );
    this.maxSize = maxSize;
  }

  /** One short name a type: "PDF, PNG, JPG, …". */
  get accepted() {
    const names = new Map();
    for (const [extension, type] of this.types) {
      if (!names.has(type)) names.set(type, extension.toUpperCase());
    }
    return [...names.values()].join(", ");
  }

  typeOf(file) {
    return this.types.get(extensionOf(file.name)) ?? file.type;
  }

  /** The key of the reason why this file can't be sent, or null. */
  refusal(file) {
    if (file.unreadable) return "unreadable";
    const extension = extensionOf(file.name);
    // What a chooser gives for a folder: no type, and the size of its entry on the disk.
    if (!extension && !file.type && file.size % 4096 === 0) return "refusedFolder";
    if (!this.types.has(extension)) return "refusedType";
    if (file.size === 0) return "refusedEmpty";
    if (file.size > this.maxSize) return "refusedSize";
    return null;
  }
}
