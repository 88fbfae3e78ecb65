/** What may be damaged, and that damage which nobody did is told. */
import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { tableFile } from "../../engine/storage/table/file.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, type Built, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { tablesOf } from "../../sim/checkers/named-tables.ts";
import { replicasOf } from "../../sim/checkers/look.ts";
import { checkTables } from "../../sim/checkers/tables.ts";
import { expendable, isSick } from "../../sim/faults/atlas.ts";
import { type Damage, damage, type DamageStrike, drawDamage } from "../../sim/faults/rot.ts";
import { startLater } from "../../sim/machines/process.ts";
import type { World } from "../../sim/model.ts";
import { type Random, randomOf } from "../../sim/random.ts";
import type { Scenario } from "../../sim/scenario.ts";
import { runUntil } from "../../sim/world.ts";
import { suite } from "../harness.ts";

const test = suite("sim/damage");

/** Draws a blow and deals it. */
function damageTable(
  world: World,
  kinds: readonly Damage[],
  random: Random,
): DamageStrike | undefined {
  const strike = drawDamage(world, kinds, random);
  if (strike !== undefined) assert.ok(damage(world, strike));
  return strike;
}

/** A world whose stores have tables, and read them from the disk. */
async function running(scenario: Scenario = calm): Promise<Built> {
  const built = build({ ...scenario, extreme: ["cacheBytes"] }, "2", drain, DEFAULT_OPTIONS);
  for (const machine of built.world.servers) startLater(built.world, machine, 1000);
  for (const client of built.world.clients) client.start();
  await runUntil(built.world, 4_000_000);
  assert.is(built.world.checks.violation, undefined);
  return built;
}

test("of three stores any may be damaged, and then only that one until it has got over it", async () => {
  const { world } = await running();
  assert.is(expendable(world).length, 3);
  const random = randomOf("damage");
  assert.ok(damageTable(world, ["bad_sector"], random) !== undefined);
  const sick = world.stores.filter(isSick);
  assert.is(sick.length, 1);
  assert.equal(expendable(world), sick);
  for (let i = 0; i < 5; i++) damageTable(world, ["rot", "bad_sector", "stray_write"], random);
  assert.equal(world.stores.filter(isSick), sick);
  // What is read of it puts its replicas out of service, and others make them anew.
  for (const { number } of tablesOf(sick[0]!)) {
    if (sick[0]!.disk.synced(tableFile(number))) sick[0]!.disk.flip(tableFile(number), 0, 1);
  }
  const told = (): boolean =>
    world.trace.lines.some(({ text }) => text.startsWith(`${sick[0]!.name}: data is damaged`));
  const healthy = (): boolean => replicasOf(sick[0]!).every(({ damaged }) => damaged === undefined);
  for (let i = 0; i < 40 && !(told() && healthy()); i++)
    await runUntil(world, world.timeUs + 100_000);
  assert.is(world.checks.violation, undefined);
  assert.ok(told() && healthy());
});

test("where a region has one copy nothing may be damaged", async () => {
  const { world } = await running({ ...calm, cluster: { ...calm.cluster, replicas: [1] } });
  assert.ok(world.stores.some((machine) => tablesOf(machine).length > 0));
  assert.is(damageTable(world, ["rot"], randomOf("damage")), undefined);
});

test("a table that is missing or changed by nobody's doing is told, by its file", async () => {
  const { world } = await running();
  checkTables(world);
  assert.is(world.checks.violation, undefined);
  const machine = world.stores.find((store) => tablesOf(store).length > 0);
  const file = tableFile(tablesOf(machine!)[0]!.number);
  machine!.disk.perform({ type: "truncate", file, size: 10 }, () => 0.5);
  checkTables(world);
  const { check, text } = world.checks.violation ?? { check: "none", text: "" };
  assert.is(check, "tables");
  assert.ok(text.includes(file), text);
});

test.run();
