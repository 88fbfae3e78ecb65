/** The bank on PostgreSQL: a table of accounts, transfers between them, reads of one instant. */
import type { Client } from "pg";
import { OPENING_BALANCE } from "./accounts.ts";
import type { Draw } from "./accounts.ts";
import type { Caller, Load } from "./load.ts";
import type { Postgres } from "./postgres.ts";

/** Makes the table with its accounts, and leaves the server as rested as it gets. */
export async function fillPostgres(server: Postgres, accounts: number): Promise<void> {
  const client = await server.connect();
  // Room in the pages lets updates spare the index, as those who tune for transfers have it.
  await client.query(
    `CREATE TABLE account (id integer PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 80)`,
  );
  await client.query(
    `INSERT INTO account SELECT id, ${OPENING_BALANCE} FROM generate_series(0, ${accounts - 1}) id`,
  );
  await client.query(
    `CREATE FUNCTION transfer(source integer, target integer, amount bigint) RETURNS void AS $$
     BEGIN
       PERFORM 1 FROM account WHERE id IN (source, target) ORDER BY id FOR UPDATE;
       UPDATE account SET balance = balance - amount WHERE id = source;
       UPDATE account SET balance = balance + amount WHERE id = target;
     END $$ LANGUAGE plpgsql`,
  );
  await client.query("VACUUM ANALYZE account");
  await client.query("CHECKPOINT");
  await client.end();
}

/** All money that there is. */
export async function totalOfPostgres(server: Postgres): Promise<number> {
  const client = await server.connect();
  const { rows } = await client.query<{ total: string }>(
    "SELECT sum(balance) AS total FROM account",
  );
  await client.end();
  return Number(rows[0]?.total);
}

/** How callers get connections of their own that outlive the windows: connecting is dear. */
export class Connections {
  readonly #free: Client[] = [];
  readonly #all: Client[] = [];

  async open(server: Postgres, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const client = await server.connect();
      this.#all.push(client);
      this.#free.push(client);
    }
  }

  take(): Client {
    const client = this.#free.pop();
    if (client === undefined) throw new Error("more callers than connections");
    return client;
  }

  give(client: Client): void {
    this.#free.push(client);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.end()));
  }
}

const LOCK = {
  name: "lock",
  text: "SELECT id, balance FROM account WHERE id IN ($1, $2) ORDER BY id FOR UPDATE",
};
const SET = { name: "set", text: "UPDATE account SET balance = $2 WHERE id = $1" };
const CALL = { name: "call", text: "SELECT transfer($1, $2, $3)" };
const READ = { name: "read", text: "SELECT balance FROM account WHERE id = $1" };
const READ_MANY = { name: "read many", text: "SELECT id, balance FROM account WHERE id = ANY($1)" };

/** Reads and then writes what it has computed, a statement at a time, as the Rutile client does. */
async function transferByStatements(client: Client, draw: Draw): Promise<void> {
  const [a, b] = draw.within();
  await client.query("BEGIN");
  const { rows } = await client.query<{ balance: string }>({ ...LOCK, values: [a, b] });
  const [from, to] = rows.map(({ balance }) => BigInt(balance));
  if (from === undefined || to === undefined) throw new Error("an account is missing");
  await client.query({ ...SET, values: [a, from - 1n] });
  await client.query({ ...SET, values: [b, to + 1n] });
  await client.query("COMMIT");
}

/** All in one message: the server computes. */
async function transferByFunction(client: Client, draw: Draw): Promise<void> {
  const [a, b] = draw.within();
  await client.query({ ...CALL, values: [a, b, 1] });
}

/** Reads of snapshots that are renewed after this many turns. */
interface ReadPlan {
  readonly turnsPerSnapshot: number;
  readonly keysPerTurn: number;
}

function reader(client: Client, draw: Draw, { turnsPerSnapshot, keysPerTurn }: ReadPlan): Turn {
  let left = 0;
  return async () => {
    if (left === 0) {
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      left = turnsPerSnapshot;
    }
    const ids = Array.from({ length: keysPerTurn }, () => draw.one());
    const { rows } =
      keysPerTurn === 1
        ? await client.query({ ...READ, values: ids })
        : await client.query({ ...READ_MANY, values: [ids] });
    if (rows.length === 0) throw new Error("an account is missing");
    left -= 1;
    if (left === 0) await client.query("COMMIT");
    return keysPerTurn;
  };
}

type Turn = () => Promise<number>;

export interface PostgresLoads {
  readonly transfers: readonly Load[];
  readonly reads: readonly Load[];
}

export function postgresLoads(
  connections: Connections,
  draw: Draw,
  { turnsPerSnapshot, keysPerTurn }: ReadPlan,
): PostgresLoads {
  const caller = (turnOf: (client: Client) => Turn) => (): Caller => {
    const client = connections.take();
    return {
      turn: turnOf(client),
      end: async () => {
        // A snapshot may be open; outside of one this is a warning to nobody.
        await client.query("ROLLBACK");
        connections.give(client);
      },
    };
  };
  const load = (label: string, turnOf: (client: Client) => Turn): Load => ({
    system: "PostgreSQL",
    label,
    caller: caller(turnOf),
  });
  const transfer =
    (act: (client: Client, draw: Draw) => Promise<void>) =>
    (client: Client): Turn =>
    () =>
      act(client, draw).then(() => 1);
  const read = (keys: number) => (client: Client) =>
    reader(client, draw, { turnsPerSnapshot, keysPerTurn: keys });
  return {
    transfers: [
      load("transfer, statements", transfer(transferByStatements)),
      load("transfer, function", transfer(transferByFunction)),
    ],
    reads: [load("select", read(1)), load(`select of ${keysPerTurn}`, read(keysPerTurn))],
  };
}
