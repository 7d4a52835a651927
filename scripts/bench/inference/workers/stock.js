// Stock tfjs.
import { loadStock } from "./load-stock.js";
import { serve } from "./serve.js";

export default serve(loadStock);
