/** How smoothly a page goes, told by the times between its frames. */

/**
 * A program for the page that presses these keys, one a frame, and gives the milliseconds
 * between the frames.
 */
export const pressing = (keys: readonly string[]): string => `new Promise((done) => {
  const keys = ${JSON.stringify(keys)};
  const all = [];
  let last;
  let i = 0;
  const frame = (now) => {
    if (last !== undefined) all.push(now - last);
    last = now;
    if (i === keys.length) return done(all);
    document.dispatchEvent(new KeyboardEvent("keydown", { key: keys[i] }));
    i += 1;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

/** Prints what was measured, and gives the 95th percentile. */
export function tellFrames(when: string, frames: readonly number[]): number {
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? Infinity;
  const times = [0.5, 0.95, 1].map((part) => `${at(part).toFixed(1)} ms`).join(", ");
  console.log(`${when}, ${frames.length} frames: median, p95 and worst ${times}`);
  return at(0.95);
}
