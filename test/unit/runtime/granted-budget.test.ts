/** A memory budget that several processes share, as one of them sees it. */
import { expect, it } from "vitest";
import { GrantedBudget } from "../../../worker/runtime/granted-budget.ts";

it("asks only for what it was not granted, and keeps a grant until it has to give back what it does not hold", async () => {
  let held = 0;
  const asked: number[] = [];
  const budget = new GrantedBudget({ held: () => held, patience: 1000, resource: "memory" });
  const ask = (bytes: number) => {
    asked.push(bytes);
    return Promise.resolve(bytes + 10);
  };
  for (held of [5, 12, 15, 16]) await budget.cover(ask);
  expect(asked).toEqual([5, 16]);
  held = 3;
  expect(budget.giveBack()).toBe(3);
  await budget.cover(ask);
  held = 4;
  await budget.cover(ask);
  expect(asked).toEqual([5, 16, 4]);
});

it("does not rely on a grant that was on its way when it gave back", async () => {
  let held = 8;
  const asked: number[] = [];
  const budget = new GrantedBudget({ held: () => held, patience: 1000, resource: "memory" });
  await budget.cover(async (bytes) => {
    asked.push(bytes);
    if (asked.length > 1) return bytes;
    held = 3;
    budget.giveBack();
    held = 6;
    return 8;
  });
  expect(asked).toEqual([8, 6]);
});

it("waits for what others hold, and is refused after its patience, or when its client has gone", async () => {
  const budget = new GrantedBudget({ held: () => 8, patience: 250, resource: "memory" });
  let tries = 0;
  await budget.cover(() => Promise.resolve(++tries < 3 ? 0 : 8));
  expect(tries).toBe(3);
  const other = new GrantedBudget({ held: () => 8, patience: 150, resource: "memory" });
  const never = () => Promise.resolve(0);
  await expect(other.cover(never)).rejects.toMatchObject({ kind: "busy", message: /memory was taken for 150 ms/ });
  await expect(other.cover(never, AbortSignal.abort())).rejects.toMatchObject({ kind: "cut-off" });
});
