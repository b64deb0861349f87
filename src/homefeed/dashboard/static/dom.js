// Elements from data. Text only ever becomes text nodes; nothing here parses markup.

export const byId = (id) => document.getElementById(id);

/** An element. Attributes that are functions listen; null and false leave an attribute or child out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Give an element the sizes and colours that come from data; a strict policy forbids style attributes. */
export function styled(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  return element;
}

export function option(value, text, selected = false) {
  const made = el("option", { value }, text);
  made.selected = selected;
  return made;
}

/** Where nothing can be listed: a title, sentences that say why, and perhaps a way out. */
export function emptyState(title, sentences = [], ...actions) {
  return el("div", { class: "empty" }, el("p", { class: "empty-title" }, title), sentences, actions);
}

/** A sentence whose parts between backticks are code. */
export function sentence(text, attributes = {}) {
  const parts = text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
  return el("p", attributes, parts);
}

export const calmly = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
