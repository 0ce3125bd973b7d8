// Files out of what was chosen, dropped or pasted; a dropped folder is opened.

// What systems leave in folders, and nobody means to send.
const LITTER = /^(\.|~\$|thumbs\.db$|desktop\.ini$)/i;

async function readAll(directory) {
  const reader = directory.createReader();
  const entries = [];
  // readEntries answers a hundred at a time.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}

/** One bad entry doesn't lose the others: it comes as a name that can't be read. */
async function filesOf(entry) {
  if (entry instanceof File) return [entry];
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const entries = (await readAll(entry)).filter(({ name }) => !LITTER.test(name));
    return (await Promise.all(entries.map(filesOf))).flat();
  } catch {
    return [{ name: entry.name, size: 0, unreadable: true }];
  }
}

export async function droppedFiles(transfer) {
  // The list empties itself after the event, so the entries are taken before anything is awaited.
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  // What doesn't lie on a disk, such as a mail's attachment, may have no entry.
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const files = await Promise.all(entries.map(filesOf));
  // An empty folder is told of by its name, as one that was chosen is.
  return files.flatMap((some, index) => (some.length ? some : { name: entries[index].name, size: 0 }));
}

export function chosenFiles(input) {
  const files = [...input.files];
  return input.webkitdirectory ? files.filter(({ name }) => !LITTER.test(name)) : files;
}

/** A pasted screenshot and a photo just taken are always called the same; the time tells several
 * apart. */
export function named(files, generic, prefix) {
  const stamp = new Date().toLocaleString("sv").replaceAll(":", ".");
  return files.map((file) => {
    const [, extension] = generic.exec(file.name) ?? [];
    return extension ? new File([file], `${prefix} ${stamp}.${extension}`, { type: file.type }) : file;
  });
}
