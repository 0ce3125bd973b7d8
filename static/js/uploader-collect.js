// Files out of what was chosen, dropped or pasted; a dropped folder is opened.

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

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const inner = await Promise.all((await readAll(entry)).map(filesOf));
  return inner.flat();
}

export async function droppedFiles(transfer) {
  // The list empties itself after the event, so the entries are taken before anything is awaited.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

/** A pasted screenshot is always called image.png; the time tells several apart. */
export function pastedFiles(transfer, prefix) {
  const stamp = new Date().toLocaleString("sv").replaceAll(":", ".");
  return [...transfer.files].map((file) =>
    file.name === "image.png" ? new File([file], `${prefix} ${stamp}.png`, { type: file.type }) : file,
  );
}
