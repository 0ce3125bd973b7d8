// The address of a small picture runs out after two minutes. One that is scrolled to later leaves
// the icon that it would have covered, and no torn picture.
export function hideLostPictures() {
  const hide = ({ target }) => {
    if (target.matches?.("img.thumb")) target.hidden = true;
  };
  document.addEventListener("error", hide, { capture: true });
  for (const target of document.querySelectorAll("img.thumb")) {
    if (target.complete && !target.naturalWidth) hide({ target });
  }
}
