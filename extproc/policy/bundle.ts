/** A compiled policy, and how it is read from the archive that `opa build` writes. */
import { list, type ReadEntry } from 'tar';
import { SkilltapeError } from '../errors.ts';
import type { DetectorList } from '../masking/detector-list.ts';
import type { Look } from './look.ts';
import { type Plan, parsePlan } from './plan.ts';

/**
 * The points at which policy decides, three of an exchange and `console` before somebody looks; each is a folder of rules
 * and a Rego package.
 */
export const stages = ['access', 'request', 'record', 'console'] as const;
export type Stage = (typeof stages)[number];

/** The name under which OPA knows a stage's decision. */
export function entrypointOf(stage: Stage): string {
  return `skilltape/${stage}/decision`;
}

/**
 * `data` holds the lists; `revision` names exactly the sources that were compiled, as `sha256:<hex>`; `looksAtFindings`
 * says whether a rule may look at what a search of the request finds, `looksAtTotals` the same of what callers used before.
 * `looksAtExcerpt` the same of the new text of a request, and then `ownWords` are those of the sources, see `quiet-reasons.ts`.
 * `looks` says what the rules of a stage can look at in their input.
 * `timeZones` are those that the lists name, `detectors` those that operators added.
 */
export type PolicyBundle = {
  wasm: Uint8Array<ArrayBuffer>;
  data: object;
  revision: string;
  looksAtFindings: boolean;
  detectors: DetectorList;
  looksAtTotals: boolean;
  looksAtExcerpt: boolean;
  ownWords: readonly string[];
  timeZones: readonly string[];
  looks: Readonly<Record<Stage, Look>>;
};

/**
 * How many revisions stay loaded for `record`, the newest ones. An exchange that is shipped later than this many edits
 * after it began is judged by the policy in force.
 */
export const keptRevisionsMax = 8;

const bundleEntryMaxBytes = 32 * 1024 * 1024;

/**
 * Reads module and data, in memory: nothing of the archive is written to disk.
 * @throws SkilltapeError `policy_invalid`
 */
export async function readBundle(archivePath: string): Promise<Pick<PolicyBundle, 'wasm' | 'data'>> {
  const entries = await readEntries(archivePath, ['policy.wasm', 'data.json']);
  const wasm = entries.get('policy.wasm');
  const data = entries.get('data.json');
  if (wasm === undefined) throw new SkilltapeError('policy_invalid', 'opa build wrote no policy.wasm');
  return { wasm, data: data === undefined ? {} : parseData(data) };
}

/** The same of the plan, which stands in an archive of its own. */
export async function readPlan(archivePath: string): Promise<Plan> {
  const plan = (await readEntries(archivePath, ['plan.json'])).get('plan.json');
  if (plan === undefined) throw new SkilltapeError('policy_invalid', 'opa build wrote no plan.json');
  return parsePlan(plan);
}

async function readEntries(
  archivePath: string,
  wanted: readonly string[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  const onReadEntry = (entry: ReadEntry): void => {
    // The paths in OPA's bundles begin with a slash.
    const name = entry.path.replace(/^\/+/, '');
    if (!wanted.includes(name) || entry.size > bundleEntryMaxBytes) {
      entry.resume();
      return;
    }
    const chunks: Buffer[] = [];
    entry.on('data', (chunk) => chunks.push(chunk));
    entry.on('end', () => entries.set(name, new Uint8Array(Buffer.concat(chunks))));
  };
  try {
    await list({ file: archivePath, strict: true, onReadEntry });
  } catch (thrown) {
    throw new SkilltapeError('policy_invalid', 'the archive that opa build wrote could not be read', { cause: thrown });
  }
  return entries;
}

function parseData(bytes: Uint8Array): object {
  const data: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof data === 'object' && data !== null) return data;
  throw new SkilltapeError('policy_invalid', 'the data of the policy is not an object');
}
