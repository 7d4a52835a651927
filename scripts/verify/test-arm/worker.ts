/** What `npm run test:arm` runs in an emulated workerd: some of the tests of the kernels at each request. */
import "../../../test/unit/inference/plan-kernels.test.ts";
import "../../../test/unit/inference/plan-strassen.test.ts";
import { runTests } from "./vitest.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const number = (name: string) => Number(searchParams.get(name));
    try {
      return Response.json(await runTests(number("from"), number("to"), number("every")));
    } catch (error) {
      return Response.json({ error: String((error as Error).stack) });
    }
  },
};
