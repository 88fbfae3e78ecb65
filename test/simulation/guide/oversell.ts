/** What must hold of the service, whatever happens around it. */
import fc from "fast-check";
import type { TxnClient } from "rutile/client";
import { arbitraryScenario, simulate, type SimulatedProcess } from "rutile/sim";

type Checkout = (txn: TxnClient, item: string, order: string) => Promise<void>;

const STOCK = 30;

export const neverOversold = (checkout: Checkout): fc.IRawProperty<unknown> =>
  fc.asyncProperty(
    arbitraryScenario(),
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
    async (world, customers) => {
      const shop = simulate(
        async (sim) => {
          const customer = async (process: SimulatedProcess, orders: number) => {
            const { name, txn, sleep, below } = process;
            for (let i = 1; i <= orders; i++) {
              await checkout(txn, "ring", `${name}/${i}`).catch(() => undefined);
              await sleep(below(500));
            }
          };
          await Promise.all(customers.map((orders) => sim.process((p) => customer(p, orders))));
          await sim.heal();
          return count(sim.txn);
        },
        { ...world, setup: ({ txn }) => txn.transaction((t) => t.put("stock/ring", `${STOCK}`)) },
      );
      const { sold, left } = (await shop).value;
      if (sold + left > STOCK) throw new Error(`${sold} of ${STOCK} rings are sold, ${left} left`);
    },
  );

const count = (txn: TxnClient): Promise<{ sold: number; left: number }> =>
  txn.transaction(async (t) => {
    let sold = 0;
    for await (const _ of t.scan({ start: "order/", end: "order0" })) sold += 1;
    const left = Number(new TextDecoder().decode(await t.get("stock/ring")));
    return { sold, left };
  });
