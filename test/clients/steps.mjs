// The steps of the work, one after the other, for the clients in JavaScript.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [work, out, folder] = process.argv.slice(2);

const at = (value, path) => path.split('.').reduce((v, part) => v?.[part], value);

// given are the input's stand-ins as the SDKs take them.
function given(value) {
  if (Array.isArray(value)) return value.map(given);
  if (!value || typeof value !== 'object') return value;
  if ('$text' in value) return Buffer.from(value.$text);
  if ('$size' in value) return Buffer.alloc(value.$size, '.');
  if ('$zip' in value) return readFileSync(join(folder, `${value.$zip}.zip`));
  if ('$ago' in value) return new Date(Date.now() - value.$ago * 1000);
  if ('$agoMillis' in value) return Date.now() - value.$agoMillis;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, given(v)]));
}

// seen is what an SDK answers as JSON has it.
function seen(value) {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(seen);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([k]) => k !== '$metadata').map(([k, v]) => [k, seen(v)]));
}

export async function run(name, call) {
  const kept = { name };
  const fill = (value) => {
    if (typeof value === 'string') return value.replace(/\{([a-z][a-zA-Z0-9]*)\}/g, (all, k) => kept[k] ?? all);
    if (Array.isArray(value)) return value.map(fill);
    if (!value || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [fill(k), fill(v)]));
  };
  const answers = [];
  for (const step of JSON.parse(readFileSync(work))) {
    let answer;
    for (let i = 0; i < 100; i++) {
      try {
        answer = seen(await call(step, given(fill(step.input))));
      } catch (err) {
        answer = { error: { code: err.Code ?? err.code ?? err.name, message: err.message } };
      }
      if (step.until ? at(answer, step.until[0]) === step.until[1] : !step.untilError || answer.error) break;
      await sleep(100);
    }
    for (const [variable, path] of Object.entries(step.keep ?? {})) kept[variable] = at(answer, path) ?? 'missing';
    answers.push(answer);
  }
  writeFileSync(out, JSON.stringify({ name, kept, answers }));
}

export async function fetched(url) {
  const answer = await fetch(url);
  return { status: answer.status, body: await answer.text() };
}
