/** The playground: starts the worker from the text that the page holds, and the page around it. */
import { readAddress } from "./address.ts";
import { WARM_US } from "./builder.ts";
import { type Desk, deskOf } from "./desk.ts";
import { Engine } from "./engine.ts";
import type { Reply, Wish } from "./messages.ts";
import { FIRST_PLAN } from "../../../sim/live/play.ts";
import { element } from "../picture/element.ts";
import { FIRST_SPEED } from "./toolbar.ts";

function textOf(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}

function fail(problem: string): void {
  document.body.append(
    element(
      "p",
      { class: "bad", role: "alert", id: "failed" },
      `The playground has stopped: ${problem}`,
    ),
  );
}

function main(): void {
  const source = new Blob([textOf("worker")], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(source));
  const wish = (one: Wish): void => worker.postMessage(one);
  const engine = new Engine(wish, FIRST_SPEED);
  const scenarios = JSON.parse(textOf("scenarios")) as string[];
  const address = readAddress(location.hash.slice(1));
  let desk: Desk | undefined;
  let problem: string | undefined;
  /** The moment that the address names. */
  let atUs: number | undefined;

  worker.addEventListener("error", (event) => fail(event.message));
  worker.addEventListener("message", ({ data: reply }: MessageEvent<Reply>) => {
    if (reply.type === "failed") {
      fail(reply.problem);
      return;
    }
    if (desk !== undefined) {
      desk.take(reply);
      return;
    }
    const picture = reply.type === "news" ? engine.take(reply) : undefined;
    if (picture === undefined) return;
    desk = deskOf(engine, picture, scenarios);
    engine.taken(0);
    if (problem !== undefined) desk.say(`The address cannot be played: ${problem}`);
    if (atUs !== undefined && atUs < engine.edgeUs) desk.goTo(atUs);
  });

  engine.speed(FIRST_SPEED);
  if (address.type === "play" && address.read.ok) {
    const { play } = address.read;
    ({ atUs } = address);
    engine.begin(play, Math.max(atUs, play.actions.at(-1)?.atUs ?? 0), false);
  } else {
    if (address.type === "play" && !address.read.ok) ({ problem } = address.read);
    engine.begin({ cluster: FIRST_PLAN, actions: [] }, WARM_US, true);
  }
}

main();
