/** The schema library, with messages in English: zod/mini alone only says "Invalid input". */
import { en } from "zod/locales";
import * as z from "zod/mini";

z.config(en());

export { z };
