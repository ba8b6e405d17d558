// Prints the schemas of an @aws-sdk client package as JSON. Arrow functions, by which schemas refer to each other, become
// {"$ref": name}; the registries and error classes, which only matter to a client, are dropped.
import { readFileSync } from "node:fs";

const source = readFileSync(process.argv[2], "utf8")
  .replace(/^import .*$/gm, "")
  .replace(/^n0_registry\..*$|^_s_registry\..*$|^const .*_registry = .*$/gm, "")
  .replace(/^export const errorTypeRegistries = \[[^\]]*\];/gm, "")
  .replace(/^export /gm, "");
const names = [...source.matchAll(/^var ([A-Za-z0-9_$]+) =/gm)].map((m) => m[1]);
const schemas = new Function(`${source}\nreturn {${names.join(",")}};`)();
const refs = (_, v) => (typeof v === "function" ? { $ref: v.toString().replace(/^\(\) => /, "") } : v);
process.stdout.write(JSON.stringify(schemas, refs));
