/** The bundle of a script as text (scripts/build.ts). */
declare module '*?inline' {
  const source: string;
  export default source;
}
