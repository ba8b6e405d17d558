// Makes the clients' answers alike where they may differ, and writes them as text, one file a client: compare.mjs WORK FOLDER RAW…
// Ids and times become tokens; what is empty is left out, as some SDKs do not tell it from what is not there.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [work, folder, ...names] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(work));

const tokens = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?UTC|Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, '<time>'],
  [/\bARO[A-Z0-9]{18}\b/g, '<role id>'],
  [/\bstack-Books-[A-Z0-9]{12,13}\b/g, 'stack-Books-<id>'],
  [/127\.0\.0\.1:\d+/g, '<cloud>'],
  [/\("?\/[^)]*\)/g, '(<place>)'],
];

// What nobody can foretell.
const opaque = /^(versionId|deleteMarkerVersionId|nextContinuationToken|continuationToken|uploadId|codeSha256|nextForwardToken|nextBackwardToken|eventId|physicalResourceId|searchedLogStreams|uploadSequenceToken|deploymentId|nextSequenceToken|ingestionTime|runtimeVersionArn|abortRuleId|copySourceVersionId)$/;
// What some SDKs ask for, and others not; and what older SDKs do not know of.
const left = /^(checksum.*|encodingType|responseMetadata|requestId|bucketArn|warmThroughput|ipAddressType)$/i;

const json = (s) => {
  try {
    return JSON.stringify(JSON.parse(s));
  } catch {
    return s;
  }
};

function plain(value, key, kept) {
  if (key === 'message' && value === 'UnknownError') return undefined; // one SDK's word for none
  if (typeof value === 'string') {
    let s = value;
    if (/PartNumberMarker$/i.test(key)) return Number(s); // a text in some SDKs
    if (/^%7B/.test(s)) s = json(decodeURIComponent(s));
    for (const [name, known] of Object.entries(kept)) {
      if (name !== 'name' && known.length > 5 && !known.startsWith('"')) s = s.replaceAll(known, `<${name}>`);
    }
    s = s.replaceAll(kept.name, '<name>');
    for (const [pattern, token] of tokens) s = s.replace(pattern, token);
    if (opaque.test(key) && !s.startsWith('<')) return s && '<opaque>';
    return s;
  }
  if (key === 'statusCode' && value === 204) return undefined; // DeleteFunction's, which older SDKs do not know of
  if (typeof value === 'number') return value > 1.5e9 ? '<time>' : value;
  if (Array.isArray(value)) return value.map((v) => plain(v, key, kept)).filter((v) => v !== undefined);
  if (key === 'assumeRolePolicyDocument') return JSON.stringify(value); // parsed by some SDKs
  if (value && typeof value === 'object') {
    if (Object.keys(value).length === 0) return undefined;
    // DynamoDB's items come in maps without order
    const entries = Object.entries(value)
      .map(([k, v]) => [k[0].toLowerCase() + k.slice(1), v])
      .filter(([k]) => !left.test(k))
      .map(([k, v]) => [plain(k, '', kept), plain(v, k, kept)])
      .filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== 0 && v !== false && !(Array.isArray(v) && v.length === 0))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.length ? Object.fromEntries(entries) : undefined;
  }
  return value;
}

for (const name of names) {
  const file = join(folder, name);
  const { kept, answers } = JSON.parse(readFileSync(file));
  let text = '';
  answers.forEach((answer, i) => {
    const step = steps[i];
    let value = step.pick ? { [step.pick]: answer[step.pick] ?? answer[step.pick[0].toUpperCase() + step.pick.slice(1)] } : answer;
    value = plain(value, '', kept) ?? {};
    if (step.sort) {
      const key = step.sort[0].toLowerCase() + step.sort.slice(1);
      const lines = value[key]?.map((v) => [v.logicalResourceId, v.resourceType, v.resourceStatus, v.resourceStatusReason].join(' ').trim());
      value = { [key]: lines?.sort() };
    }
    text += `# ${i + 1} ${step.service} ${step.operation} ${JSON.stringify(step.input).slice(0, 120)}\n${JSON.stringify(value, null, 1)}\n`;
  });
  writeFileSync(join(folder, basename(name, '.json') + '.txt'), text);
}
