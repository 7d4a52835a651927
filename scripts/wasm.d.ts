/** What the Worker's imports of WebAssembly are, for scripts whose types reach into it. Nothing here runs them. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
