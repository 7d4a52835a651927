/** Vite gives the text of a file for an import that ends in ?raw. */
declare module "*.md?raw" {
  const text: string;
  export default text;
}
declare module "*.json?raw" {
  const text: string;
  export default text;
}
