/** True where the browser's data saver is on (Network Information API; browsers without it say nothing). */
export function wantsLessData(): boolean {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly saveData?: boolean } };
  return connection?.saveData === true;
}
