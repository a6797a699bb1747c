/** A style sheet, minified, as text (scripts/build-client.ts). */
declare module '*.css?inline' {
  const style: string;
  export default style;
}
