import { parseArgs } from 'node:util';
import { SkilltapeError } from '../../../extproc/errors.ts';

/** Whom masking is compared with. */
export const peerNames = ['presidio', 'gitleaks'] as const;
export type PeerName = (typeof peerNames)[number];

export type MaskBenchOptions = {
  rounds: number;
  /** Of each round, for ours; a peer reads the first `peerDocuments` of them. */
  documents: number;
  peerDocuments: number;
  peers: readonly PeerName[];
  seed: number;
  /** Folder with labelled texts as JSON lines; undefined: quality is not measured. */
  data: string | undefined;
  hostile: boolean;
};

export const help = `usage: npm run bench:mask -- [options]

Measures what the masking engine takes of one core on generated documents of 10 kB, beside presidio-analyzer and gitleaks
in the same run, and how its time grows with texts made to be slow.

  --rounds N          rounds; each has documents of its own (default 5)
  --documents N       documents of a round (default 200)
  --peer-documents N  how many of them the peers read (default 20)
  --peers LIST        of ${peerNames.join(', ')}; none for ours alone (default all)
  --seed N            seed of documents and intervals (default: drawn, and printed)
  --data FOLDER       also measure recall and precision on its *.jsonl: {id, text, spans: [{s, e, t}]} a line
  --no-hostile        leave the slow texts out
  --help              this text

Status 0 when everything that was asked for was measured, 1 when a peer could not be had or failed, 2 for a mistake in the
options or the data.
`;

const optionTypes = {
  rounds: { type: 'string', default: '5' },
  documents: { type: 'string', default: '200' },
  'peer-documents': { type: 'string', default: '20' },
  peers: { type: 'string', default: peerNames.join(',') },
  seed: { type: 'string' },
  data: { type: 'string' },
  'no-hostile': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @throws SkilltapeError `usage`, for everything that is not understood */
export function parseMaskBenchOptions(args: readonly string[], drawSeed: () => number): MaskBenchOptions | 'help' {
  const values = parsed(args);
  if (values.help) return 'help';
  if (values.data === '') throw mistake('--data needs a path');
  return {
    rounds: numberOf('rounds', values.rounds, 1, 1_000),
    documents: numberOf('documents', values.documents, 1, 100_000),
    peerDocuments: numberOf('peer-documents', values['peer-documents'], 1, 100_000),
    peers: values.peers === 'none' ? [] : values.peers.split(',').map(peerOf),
    seed: values.seed === undefined ? drawSeed() : numberOf('seed', values.seed, 0, 2 ** 32 - 1),
    data: values.data,
    hostile: !values['no-hostile'],
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: optionTypes, allowPositionals: false }).values;
  } catch (error) {
    throw mistake(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw mistake(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
}

function peerOf(text: string): PeerName {
  const found = peerNames.find((name) => name === text.trim());
  if (found === undefined) throw mistake(`--peers knows ${peerNames.join(', ')} and none, not "${text}"`);
  return found;
}

function mistake(message: string): SkilltapeError {
  return new SkilltapeError('usage', message, { remedy: 'npm run bench:mask -- --help lists the options.' });
}
