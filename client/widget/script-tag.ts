const script = typeof document === 'undefined' ? null : document.currentScript;
let moduleOrigin: string | null = null;

/** For the ES module, which has no script tag of its own: where it was loaded from. */
export function noteModuleUrl(url: string): void {
  moduleOrigin = URL.canParse(url) && url.startsWith('http') ? new URL(url).origin : null;
}

/** Gateway of a page that names none: the origin of this script. */
export function defaultServerUrl(): string {
  if (script instanceof HTMLScriptElement && script.src !== '') return new URL(script.src).origin;
  return moduleOrigin ?? location.origin;
}

/** A `data-…` attribute of the script tag, by its name in `dataset`; null when there is none. */
export function scriptData(name: 'ticketUrl' | 'moduleId' | 'sectionId'): string | null {
  return (script instanceof HTMLScriptElement ? script.dataset[name]?.trim() : null) ?? null;
}
