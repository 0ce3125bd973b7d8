// Back from a picture: to where it stands in the gallery, and on to its page if it is further down.
import { bringHtmx } from "./htmx.js";

const MOST_PAGES = 25;

function seek(id, pagesLeft) {
  const picture = document.getElementById(id);
  if (picture) {
    picture.scrollIntoView({ block: "center" });
    picture.focus({ preventScroll: true });
    return;
  }
  const older = document.getElementById("pictures-older");
  if (!older || !pagesLeft) return;
  document.body.addEventListener("htmx:afterSettle", () => seek(id, pagesLeft - 1), { once: true });
  older.click();
}

export async function findPicture() {
  const id = location.hash.slice(1);
  if (!id.startsWith("picture-")) return;
  await bringHtmx(); // the link to older pictures would lead away
  seek(id, MOST_PAGES);
}
