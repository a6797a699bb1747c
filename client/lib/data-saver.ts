/** True if the browser's data saver is on (Network Information API; not in all browsers). */
export function wantsLessData(): boolean {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true;
}
