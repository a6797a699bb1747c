/** A script or style sheet, bundled, as text (scripts/build-client.ts). */
declare module '*?inline' {
  const source: string;
  export default source;
}
