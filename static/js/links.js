/** Whether a click asks for another tab or window, or for the browser's own download: not for us. */
export function asksBrowser(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
}
