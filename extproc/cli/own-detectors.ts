/** The detectors that operators added, for commands that mask something themselves. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { DetectorList } from '../masking/detector-list.ts';
import { noDetectors } from '../masking/detector-list.ts';
import { readDetectors } from '../policy/detectors-list.ts';
import { sourceFileMaxBytes } from '../policy/sources.ts';

const place = join('lists', 'detectors', 'data.json');

/**
 * The detectors of a file, or of the policy directory that has it.
 * @throws SkilltapeError `usage`, with every fault that the list has
 */
export function detectorsAt(path: string): DetectorList {
  const file = isDirectory(path) ? join(path, place) : path;
  const { list, faults } = readDetectors(jsonOf(file));
  if (faults.length === 0) return list;
  throw new SkilltapeError('usage', faults.map((fault) => `${file}: ${fault}`).join('\n'), {
    remedy: 'docs/masking.md says how a rule is written',
  });
}

/** Those of a policy directory; none where it has no such list. */
export function detectorsOfPolicies(directory: string): DetectorList {
  return statSync(join(directory, place), { throwIfNoEntry: false }) === undefined
    ? noDetectors
    : detectorsAt(directory);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function jsonOf(file: string): unknown {
  try {
    if (statSync(file).size > sourceFileMaxBytes) throw new Error(`it is larger than ${sourceFileMaxBytes} bytes`);
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    throw new SkilltapeError('usage', `${file} cannot be read: ${SkilltapeError.from(thrown).message}`, {
      cause: thrown,
      remedy: 'name a file of detectors, or a policy directory with lists/detectors/data.json',
    });
  }
}
