/** All generated modules as text, laid out as the rest of the code: file name -> source. */
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { emitFile } from "./emit.mjs";
import { loadFiles } from "./model.mjs";

const protocol = new URL("../../engine/protocol/", import.meta.url);
export const PROTO_FOLDER = fileURLToPath(new URL("proto/", protocol));
export const GEN_FOLDER = fileURLToPath(new URL("gen/", protocol));

export async function generate() {
  const options = await resolveConfig(GEN_FOLDER + "x.ts");
  const modules = new Map();
  for (const file of loadFiles(PROTO_FOLDER)) {
    const text = await format(emitFile(file), { ...options, parser: "typescript" });
    modules.set(`${file.name}.ts`, text);
  }
  return modules;
}
