/** Types for nspell, which has none. */
declare module "nspell" {
  interface Speller {
    correct(word: string): boolean;
    add(word: string): Speller;
  }
  const nspell: (dictionary: { readonly aff: Uint8Array; readonly dic: Uint8Array }) => Speller;
  export default nspell;
}
