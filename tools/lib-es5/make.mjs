// Writes TypeScript's lib.es5.d.ts without the wall clock and without Math.random, as index.d.ts
// beside this file. Packages that compile against it cannot name either: `Date.now()` and
// `Math.random()` are type errors there, also through `globalThis` and bracket access.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const platform = `@typescript/typescript-${process.platform}-${process.arch}`;
const typescript = createRequire(require.resolve("typescript/package.json"));
const root = dirname(typescript.resolve(`${platform}/package.json`));
let text = readFileSync(join(root, "lib", "lib.es5.d.ts"), "utf8");

const cut = (pattern) => {
  const next = text.replace(pattern, "");
  if (next === text) throw new Error(`lib.es5.d.ts no longer matches ${pattern}`);
  text = next;
};
cut(/interface DateConstructor \{[\s\S]*?\n\}\n/);
cut(/declare var Date: DateConstructor;\n/);
cut(/\n *\/\*\*[^*]*\*\/\n *random\(\): number;/);
writeFileSync(new URL("index.d.ts", import.meta.url), text);
