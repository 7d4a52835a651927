/**
 * What the commands use of the package mqtt. They import this file where they need it, since mqtt takes long to load; a
 * package of CommonJS that is compiled in has named exports only for a static import.
 */
export { connectAsync } from "mqtt";
