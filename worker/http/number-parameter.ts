/** Numbers in a query string. */
import * as z from "zod/mini";

/**
 * A decimal number. Number() would also accept " 5", "0x5" and "".
 *
 * @param checks The checks of the number.
 */
export const numberParameter = (...checks: z.core.$ZodCheck<number>[]) =>
  z.pipe(
    z.string().check(z.regex(/^\d+(\.\d+)?$/, "must be a number such as 5 or 0.25")),
    z.coerce.number<string>().check(...checks),
  );
