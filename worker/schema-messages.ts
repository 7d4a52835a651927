/** English messages for the schema library: zod/mini alone only says "Invalid input". Imported for its effect. */
import { config } from "zod/mini";
// This one language's file: the index of all of them would be half of the Worker.
import en from "zod/v4/locales/en.js";

config(en());
