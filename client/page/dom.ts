/** Element of the page by id. Throws when the page lacks it: script and page are shipped together. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} "${id}"`);
  return element;
}

/** Writes text, touching the page only when it changes. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Ticket page that the operator wrote on `<html data-ticket-url>`; null on the development gateway. */
export function ticketUrlOfPage(): string | null {
  const url = document.documentElement.dataset.ticketUrl;
  return url === undefined || url === '' ? null : url;
}
