// The page's language in the reader's own regional form: "en" reads 12/11 or 11/12 by the browser.
const language = document.documentElement.lang.split("-")[0];
export const locale =
  navigator.languages.find((tag) => tag.split("-")[0] === language) ?? (language || undefined);
