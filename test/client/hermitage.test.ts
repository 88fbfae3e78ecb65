/**
 * Hermitage, the list of interleavings by which isolation levels are told apart (Martin Kleppmann,
 * github.com/ept/hermitage), with the outcomes that snapshot isolation promises.
 *
 * Optimistic transactions never wait: of two that write one row, the second to commit fails.
 * Pessimistic ones wait for locks, and what they lock they see as it is now.
 */
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { SimulatedCluster } from "./simulated.ts";
import { fails, get, lock, put, select, type Table, tableOf, waitsFor } from "./table.ts";

const test = suite("client: hermitage");

const COMMITS = [
  { asyncCommit: false, onePC: false },
  { asyncCommit: true, onePC: false },
  { asyncCommit: true, onePC: true },
] as const;

const cluster = new SimulatedCluster("hermitage");
const PREFIX = "table";
let isSplit = false;

/** Tells `story` of transactions of either kind, once for each way of committing. */
function tell(
  title: string,
  kind: "optimistic" | "pessimistic",
  story: (table: Table) => Promise<void>,
): void {
  test(`${title} (${kind})`, async () => {
    if (!isSplit) await cluster.split(`${PREFIX}/2`);
    isSplit = true;
    for (const commit of COMMITS) {
      await cluster.run(async (txn, ports) => {
        const table = tableOf(PREFIX, txn, ports, {
          ...commit,
          pessimistic: kind === "pessimistic",
        });
        await txn.transaction(async (t) => {
          await put(table, t, 1, 10);
          await put(table, t, 2, 20);
          for (const id of [3, 4]) await t.delete(table.key(id));
        });
        await story(table);
      });
    }
  });
}

tell("G0: the second of two writers fails, and leaves nothing", "optimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  await put(table, t1, 1, 11);
  await put(table, t2, 1, 12);
  await put(table, t1, 2, 21);
  await t1.commit();
  assert.equal(await table.rows(), ["1=11", "2=21"]);
  await put(table, t2, 2, 22);
  await fails(t2.commit(), "conflict");
  assert.equal(await table.rows(), ["1=11", "2=21"]);
});

tell("G0: the second of two writers waits for the first", "pessimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  await put(table, t1, 1, 11);
  const second = put(table, t2, 1, 12);
  await waitsFor(table, second, async () => {
    await put(table, t1, 2, 21);
    await t1.commit();
  });
  assert.equal(await table.rows(), ["1=11", "2=21"]);
  await put(table, t2, 2, 22);
  await t2.commit();
  assert.equal(await table.rows(), ["1=12", "2=22"]);
});

for (const kind of ["optimistic", "pessimistic"] as const) {
  tell("G1a: nobody sees what is rolled back", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    await put(table, t1, 1, 101);
    assert.equal(await select(t2, table.prefix, () => true), ["1=10", "2=20"]);
    await t1.rollback();
    assert.equal(await select(t2, table.prefix, () => true), ["1=10", "2=20"]);
    await t2.commit();
    assert.equal(await table.rows(), ["1=10", "2=20"]);
  });

  tell("G1b: nobody sees what a transaction writes over itself", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    await put(table, t1, 1, 101);
    assert.equal(await select(t2, table.prefix, () => true), ["1=10", "2=20"]);
    await put(table, t1, 1, 11);
    await t1.commit();
    assert.equal(await select(t2, table.prefix, () => true), ["1=10", "2=20"]);
    await t2.commit();
    assert.equal(await table.rows(), ["1=11", "2=20"]);
  });

  tell("G1c: two transactions do not see each other's writes", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    await put(table, t1, 1, 11);
    await put(table, t2, 2, 22);
    assert.is(await get(table, t1, 2), "20");
    assert.is(await get(table, t2, 1), "10");
    await t1.commit();
    await t2.commit();
    assert.equal(await table.rows(), ["1=11", "2=22"]);
  });

  tell("PMP: a snapshot shows no row that is inserted later", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    assert.equal(await select(t1, table.prefix, (value) => value === 30), []);
    await t2.insert(table.key(3), "30");
    await t2.commit();
    assert.equal(await select(t1, table.prefix, (value) => value % 3 === 0), []);
    await t1.commit();
    assert.equal(await table.rows(), ["1=10", "2=20", "3=30"]);
  });

  tell("G-single: a snapshot shows both rows before a change or neither", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    assert.is(await get(table, t1, 1), "10");
    assert.is(await get(table, t2, 1), "10");
    assert.is(await get(table, t2, 2), "20");
    await put(table, t2, 1, 12);
    await put(table, t2, 2, 18);
    await t2.commit();
    assert.is(await get(table, t1, 2), "20");
    await t1.commit();
  });

  tell("G-single: predicates are of one snapshot as well", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    const fives = await select(t1, table.prefix, (value) => value % 5 === 0);
    assert.equal(fives, ["1=10", "2=20"]);
    await put(table, t2, 1, 12);
    await t2.commit();
    assert.equal(await select(t1, table.prefix, (value) => value % 3 === 0), []);
    await t1.commit();
  });

  tell("G2-item: write skew happens where rows are only read", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    for (const t of [t1, t2]) {
      assert.equal([await get(table, t, 1), await get(table, t, 2)], ["10", "20"]);
    }
    await put(table, t1, 1, 11);
    await put(table, t2, 2, 21);
    await t1.commit();
    await t2.commit();
    assert.equal(await table.rows(), ["1=11", "2=21"]);
  });

  tell("G2: so does its kind with rows that are not there yet", kind, async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    for (const t of [t1, t2]) {
      assert.equal(await select(t, table.prefix, (value) => value % 3 === 0), []);
    }
    await put(table, t1, 3, 30);
    await put(table, t2, 4, 42);
    await t1.commit();
    await t2.commit();
    assert.equal(await table.rows(), ["1=10", "2=20", "3=30", "4=42"]);
  });
}

tell("OTV: what has been seen does not vanish", "optimistic", async (table) => {
  const [t1, t2, t3] = [await table.begin(), await table.begin(), await table.begin()];
  await put(table, t1, 1, 11);
  await put(table, t1, 2, 19);
  await put(table, t2, 1, 12);
  await t1.commit();
  const t4 = await table.begin();
  assert.is(await get(table, t3, 1), "10");
  assert.is(await get(table, t4, 1), "11");
  await put(table, t2, 2, 18);
  assert.is(await get(table, t4, 2), "19");
  await fails(t2.commit(), "conflict");
  assert.equal([await get(table, t3, 2), await get(table, t3, 1)], ["20", "10"]);
  assert.equal([await get(table, t4, 2), await get(table, t4, 1)], ["19", "11"]);
});

tell("OTV: what has been seen does not vanish", "pessimistic", async (table) => {
  const [t1, t2, t3] = [await table.begin(), await table.begin(), await table.begin()];
  await put(table, t1, 1, 11);
  await put(table, t1, 2, 19);
  await waitsFor(table, put(table, t2, 1, 12), () => t1.commit());
  const t4 = await table.begin();
  assert.is(await get(table, t3, 1), "10");
  assert.is(await get(table, t4, 1), "11");
  await put(table, t2, 2, 18);
  assert.is(await get(table, t4, 2), "19");
  await t2.commit();
  assert.equal([await get(table, t3, 2), await get(table, t3, 1)], ["20", "10"]);
  assert.equal([await get(table, t4, 2), await get(table, t4, 1)], ["19", "11"]);
  assert.equal(await table.rows(), ["1=12", "2=18"]);
});

tell("PMP: who deletes what others change at the same time fails", "optimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  await put(table, t1, 1, 20);
  await put(table, t1, 2, 30);
  assert.equal(await select(t2, table.prefix, (value) => value === 20), ["2=20"]);
  await t2.delete(table.key(2));
  await t1.commit();
  await fails(t2.commit(), "conflict");
  assert.equal(await table.rows(), ["1=20", "2=30"]);
});

tell(
  "PMP: who locks before deleting sees the change, and its snapshot does not",
  "pessimistic",
  async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    await put(table, t1, 1, 20);
    await put(table, t1, 2, 30);
    assert.equal(await select(t2, table.prefix, (value) => value === 20), ["2=20"]);
    assert.is(await waitsFor(table, lock(table, t2, 2), () => t1.commit()), "30");
    assert.equal(await select(t2, table.prefix, (value) => value === 20), ["2=20"]);
    await t2.commit();
    assert.equal(await table.rows(), ["1=20", "2=30"]);
  },
);

tell("P4: no update is lost", "optimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  assert.equal([await get(table, t1, 1), await get(table, t2, 1)], ["10", "10"]);
  await put(table, t1, 1, 11);
  await put(table, t2, 1, 11);
  await t1.commit();
  await fails(t2.commit(), "conflict");
});

tell("P4: no update is lost where reads lock", "pessimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  assert.is(await lock(table, t1, 1), "10");
  await put(table, t1, 1, 11);
  assert.is(await waitsFor(table, lock(table, t2, 1), () => t1.commit()), "11");
  await put(table, t2, 1, 12);
  await t2.commit();
  assert.equal(await table.rows(), ["1=12", "2=20"]);
});

tell(
  "P4: a read without a lock is of the start, so that a write may go over others",
  "pessimistic",
  async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    assert.equal([await get(table, t1, 1), await get(table, t2, 1)], ["10", "10"]);
    await put(table, t1, 1, 11);
    await waitsFor(table, put(table, t2, 1, 12), () => t1.commit());
    await t2.commit();
    assert.equal(await table.rows(), ["1=12", "2=20"]);
  },
);

tell("G-single: who deletes what others have changed since fails", "optimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  assert.is(await get(table, t1, 1), "10");
  await put(table, t2, 1, 12);
  await put(table, t2, 2, 18);
  await t2.commit();
  assert.equal(await select(t1, table.prefix, (value) => value === 20), ["2=20"]);
  await t1.delete(table.key(2));
  await fails(t1.commit(), "conflict");
  assert.equal(await table.rows(), ["1=12", "2=18"]);
});

tell(
  "G-single: who locks what others have changed since sees that",
  "pessimistic",
  async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    assert.is(await get(table, t1, 1), "10");
    await put(table, t2, 1, 12);
    await put(table, t2, 2, 18);
    await t2.commit();
    assert.is(await lock(table, t1, 2), "18");
    assert.is(await get(table, t1, 2), "20");
    await t1.commit();
    assert.equal(await table.rows(), ["1=12", "2=18"]);
  },
);

tell("G2-item: no write skew where rows are locked", "optimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  for (const t of [t1, t2]) {
    assert.equal([await get(table, t, 1), await get(table, t, 2)], ["10", "20"]);
    await t.lockKeys([table.key(1), table.key(2)]);
  }
  await put(table, t1, 1, 11);
  await put(table, t2, 2, 21);
  await t1.commit();
  await fails(t2.commit(), "conflict");
  assert.equal(await table.rows(), ["1=11", "2=20"]);
});

tell("G2-item: no write skew where rows are locked", "pessimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  assert.equal([await lock(table, t1, 1), await lock(table, t1, 2)], ["10", "20"]);
  const second = lock(table, t2, 1);
  await put(table, t1, 1, 11);
  assert.is(await waitsFor(table, second, () => t1.commit()), "11");
  assert.is(await lock(table, t2, 2), "20");
  await put(table, t2, 2, 21);
  await t2.commit();
  assert.equal(await table.rows(), ["1=11", "2=21"]);
});

tell(
  "G2-item: of two that wait for each other one is told of the deadlock",
  "pessimistic",
  async (table) => {
    const [t1, t2] = [await table.begin(), await table.begin()];
    assert.is(await lock(table, t1, 1), "10");
    assert.is(await lock(table, t2, 2), "20");
    const first = lock(table, t1, 2);
    const found = await waitsFor(table, first, async () => {
      await fails(lock(table, t2, 1), "deadlock");
      await t2.rollback();
    });
    assert.is(found, "20");
    await put(table, t1, 2, 21);
    await t1.commit();
    assert.equal(await table.rows(), ["1=10", "2=21"]);
  },
);

tell("G2: a row that stands for all others makes up for it", "optimistic", async (table) => {
  const [t1, t2] = [await table.begin(), await table.begin()];
  for (const t of [t1, t2]) {
    assert.equal(await select(t, table.prefix, (value) => value % 3 === 0), []);
    await t.lockKeys([`${table.prefix}-all`]);
  }
  await put(table, t1, 3, 30);
  await put(table, t2, 4, 42);
  await t1.commit();
  await fails(t2.commit(), "conflict");
  assert.equal(await table.rows(), ["1=10", "2=20", "3=30"]);
});

test.run();
