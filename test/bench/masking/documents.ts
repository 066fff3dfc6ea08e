/** Documents as transcripts hold them, made from a seed: talk, source, logs and JSON, with personal data and keys strewn in. */
import { seededRandom } from '../statistics.ts';

type Random = () => number;

const words = (
  'the of and to in is that for it as was with be by on not this are from or have an they which one all there their been ' +
  'has when who will more no if out so what up into than other time only some could these two then do any my now such ' +
  'like our over me even most made after also did many before must through years where much way well down should because ' +
  'each just those people how too little state good make world still own see work long between both life under never same ' +
  'another know while last might us great old year off come since against go right used take three contract customer ' +
  'invoice review deployment service request database configuration function summary warehouse delivery colleague manager ' +
  'report meeting question answer module parser handler record segment index search policy header stream buffer'
).split(' ');
const letters = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const hex = `${digits}abcdef`;
const alphanumeric = `${letters.toUpperCase()}${letters}${digits}`;
const firstNames = ['jane', 'omar', 'li', 'anna', 'pierre', 'sofia', 'kofi', 'yuki'];
const domains = ['example.com', 'mail.example.org', 'firm.example.co.uk', 'praxis.example.de'];

/** Documents of `bytes` ASCII characters each; the same again for the same seed. */
export function generatedDocuments(seed: number, count: number, bytes: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => document(random, bytes));
}

/** A third is the JSON of a request, as it is on the wire; the rest is the text of a transcript. */
function document(random: Random, bytes: number): string {
  const parts: string[] = [];
  let length = 0;
  while (length < bytes) {
    const part = passage(random);
    parts.push(part);
    length += part.length + 2;
  }
  const isJson = random() < 1 / 3;
  const text = isJson ? JSON.stringify({ model: 'claude', messages: parts.map(message) }) : parts.join('\n\n');
  // an engine is given strings of its own, not views of longer ones
  return Buffer.from(text.slice(0, bytes), 'latin1').toString('latin1');
}

function message(text: string, index: number): Record<string, unknown> {
  return { role: index % 2 === 0 ? 'user' : 'assistant', content: [{ type: 'text', text }] };
}

function passage(random: Random): string {
  const kind = random();
  if (kind < 0.55) return times(random, 3, 9, () => sentence(random)).join(' ');
  if (kind < 0.72) return times(random, 4, 12, () => sourceLine(random)).join('\n');
  if (kind < 0.86) return times(random, 2, 6, () => logLine(random)).join('\n');
  return JSON.stringify(times(random, 2, 5, () => row(random)));
}

function sentence(random: Random): string {
  const chosen = times(random, 5, 18, () => pick(random, words));
  if (random() < 0.1) chosen.splice(between(random, 0, chosen.length), 0, pick(random, sensitive)(random));
  if (random() < 0.1) chosen.splice(between(random, 0, chosen.length), 0, pick(random, harmless)(random));
  return `${chosen.join(' ')}${pick(random, ['.', '.', '.', '?', ','])}`;
}

function sourceLine(random: Random): string {
  const [name, other] = [pick(random, words), pick(random, words)];
  const indent = '  '.repeat(between(random, 0, 3));
  return pick(random, [
    `${indent}const ${name} = await ${other}.${name}(request, { ${other}: ${between(random, 0, 4096)} });`,
    `${indent}if (${name} === undefined) throw new Error('no ${other} for ${name}');`,
    `${indent}// ${times(random, 4, 10, () => pick(random, words)).join(' ')}`,
    `${indent}return this.#${name}.get(${other}) ?? [];`,
    `${indent}def ${name}_${other}(self, ${other}: str = "${name}") -> None:`,
    `${indent}<a href="/${name}/${other}">${name}</a>`,
  ]);
}

function logLine(random: Random): string {
  const level = pick(random, ['INFO', 'WARN', 'ERROR']);
  const head = `${timestamp(random)} ${level} [${pick(random, words)}-${between(random, 1, 64)}]`;
  const place = random() < 0.2 ? ipv4(random) : `${pick(random, words)}.internal:${between(random, 1024, 65_535)}`;
  return `${head} ${place} request=${uuid(random)} took ${between(random, 1, 4_000)} ms, ${between(random, 0, 1e6)} bytes`;
}

function row(random: Random): Record<string, unknown> {
  return {
    id: between(random, 1, 99_999),
    [pick(random, words)]: sentence(random),
    status: pick(random, ['open', 'done', 'held']),
    created_at: timestamp(random),
    reference: uuid(random),
    ...(random() < 0.2 ? { email: email(random) } : {}),
  };
}

/** Made up, by the forms that detectors look for; domains, networks and names are those kept for examples. */
const sensitive: readonly ((random: Random) => string)[] = [
  email,
  email,
  ipv4,
  (random) => `+49 151 ${characters(random, digits, 8)}`,
  (random) => `(${between(random, 201, 989)}) 555-${characters(random, digits, 4)}`,
  (random) => withLuhn(`4${characters(random, digits, 14)}`),
  (random) => withLuhn(`5${between(random, 1, 5)}${characters(random, digits, 13)}`).replace(/.{4}(?=.)/g, '$& '),
  (random) => `${between(random, 100, 665)}-${between(random, 10, 99)}-${between(random, 1000, 9999)}`,
  () => 'DE89 3704 0044 0532 0130 00',
  (random) => `https://${pick(random, domains)}/${pick(random, words)}/${characters(random, alphanumeric, 8)}?page=2`,
  (random) => `password: ${characters(random, alphanumeric, 14)}`,
  (random) => `ghp_${characters(random, alphanumeric, 36)}`,
  (random) => `sk-ant-api03-${characters(random, alphanumeric, 95)}`,
  (random) => `AKIA${characters(random, letters.toUpperCase(), 12)}2345`,
];
const harmless: readonly ((random: Random) => string)[] = [
  timestamp,
  uuid,
  (random) => characters(random, hex, 40),
  (random) => `v${between(random, 0, 30)}.${between(random, 0, 20)}.${between(random, 0, 50)}`,
  (random) => `$${between(random, 1, 9)},${characters(random, digits, 3)}.${characters(random, digits, 2)}`,
  (random) => `src/${pick(random, words)}/${pick(random, words)}.ts:${between(random, 1, 400)}`,
];

function email(random: Random): string {
  return `${pick(random, firstNames)}.${pick(random, words)}${between(random, 1, 99)}@${pick(random, domains)}`;
}

function ipv4(random: Random): string {
  return `203.0.113.${between(random, 1, 254)}`;
}

function timestamp(random: Random): string {
  return new Date(Date.UTC(2026, 0, 1) + Math.floor(random() * 3e10)).toISOString();
}

function uuid(random: Random): string {
  return characters(random, hex, 32).replace(/(.{8})(.{4}).(.{3}).(.{3})(.{12})/, '$1-$2-4$3-a$4-$5');
}

/** The digits with the check digit of ISO/IEC 7812-1 behind them. */
export function withLuhn(start: string): string {
  let sum = 0;
  for (const [i, digit] of [...start].reverse().entries()) {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return `${start}${(10 - (sum % 10)) % 10}`;
}

function characters(random: Random, alphabet: string, count: number): string {
  let made = '';
  for (let i = 0; i < count; i++) made += alphabet.charAt(Math.floor(random() * alphabet.length));
  return made;
}

function times<T>(random: Random, min: number, max: number, make: () => T): T[] {
  return Array.from({ length: between(random, min, max) }, make);
}

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[Math.floor(random() * choices.length)];
  if (choice === undefined) throw new RangeError('nothing to pick from');
  return choice;
}

/** A whole number, both ends included. */
function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}
