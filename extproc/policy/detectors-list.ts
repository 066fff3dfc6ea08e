/** The detectors that operators add, as they edit them: `lists/detectors/data.json`. */
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import { type DetectorList, detectorLimits, noDetectors, validatorNames } from '../masking/detector-list.ts';
import { detectorFaults } from '../masking/own-faults.ts';
import type { LayoutFault } from './layout.ts';

const folder = 'lists/detectors';
const file = `${folder}/data.json`;

const id = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'write lower-case letters, digits, - and _, at most 64');
const examples = z
  .array(z.string().min(1).max(detectorLimits.exampleMaxChars))
  .min(1, 'give at least one, which is tried at each start')
  .max(detectorLimits.examplesMax);

const rule = z.strictObject({
  id,
  type: z.string(),
  pattern: z.string().min(1),
  ignore_case: z.boolean().optional(),
  context: z.array(z.string()).optional(),
  validator: z.enum(validatorNames).optional(),
  score: z.number().gt(0).max(1).optional(),
  positive: examples,
  negative: examples,
});

const names = z.strictObject({
  id,
  type: z.string(),
  entries: z.array(z.string()),
  match_case: z.boolean().optional(),
});

/** The content of `lists/detectors/data.json`. */
export const detectorsList = z.strictObject({
  rules: z.array(rule).default([]),
  names: z.array(names).default([]),
  hashed_types: z.array(z.string()).default([]),
});

export type DetectorsRead = { list: DetectorList; faults: string[] };

/** The list with all its faults, of shape first: what has no shape cannot be tried. */
export function readDetectors(document: unknown): DetectorsRead {
  const read = detectorsList.safeParse(document);
  if (read.success) return { list: read.data, faults: detectorFaults(read.data) };
  return { list: noDetectors, faults: read.error.issues.map(({ path, message }) => placed(document, path, message)) };
}

/** `data` is the content of data.json files by folder. */
export function detectorsListFaults(data: ReadonlyMap<string, unknown>): LayoutFault[] {
  if (!data.has(folder)) return [];
  return readDetectors(data.get(folder)).faults.map((reason) => {
    const [, list, at] = /^(rules|names)\[(\d{1,6})\]/.exec(reason) ?? [];
    const fault = { path: file, line: 1, reason };
    return list === undefined ? fault : { ...fault, at: [list, Number(at)] };
  });
}

/**
 * The list that the data of a policy holds, wherever it was written.
 * @throws SkilltapeError `policy_invalid`
 */
export function detectorsIn(data: object): DetectorList {
  const lists: unknown = (data as { lists?: unknown }).lists;
  if (typeof lists !== 'object' || lists === null || !('detectors' in lists)) return noDetectors;
  const { list, faults } = readDetectors(lists.detectors);
  if (faults.length > 0)
    throw new SkilltapeError('policy_invalid', faults.map((fault) => `${file}: ${fault}`).join('\n'));
  return list;
}

function placed(document: unknown, path: readonly PropertyKey[], message: string): string {
  const place = path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  );
  const [list, at] = path;
  const entries: unknown = (document as Record<PropertyKey, unknown> | null)?.[list ?? ''];
  const entry: unknown = Array.isArray(entries) && typeof at === 'number' ? entries[at] : undefined;
  const named = typeof entry === 'object' && entry !== null && 'id' in entry ? ` (${JSON.stringify(entry.id)})` : '';
  return `${place}${named}: ${message}`;
}
