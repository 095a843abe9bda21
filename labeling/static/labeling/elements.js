// Finds and makes elements. Data goes in as text only: nothing that came from a text or a person is ever parsed as HTML.

export const byId = (id) => document.getElementById(id);
export const percent = (value) => `${Math.round(value * 100)} %`;

export function make(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
