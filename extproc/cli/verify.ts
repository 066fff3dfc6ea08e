import type { KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Finding, Note, VerifyReport } from '../archive/finding.ts';
import { checkProof, proofOf } from '../archive/proof.ts';
import { publicKeyOf, writerOf } from '../archive/signing.ts';
import { verifyArchive } from '../archive/verify.ts';
import { SkilltapeError } from '../errors.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { sanitise, sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exitNothingFound, exitUsage } from './looking.ts';

const exitDamaged = 3;

type Output = { write(text: string): void; writeError(text: string): void; setExitCode(code: number): void };
type Flags = {
  publicKey?: string[];
  checkpoints?: string[];
  checkpointsFrom?: string;
  prove?: string;
  out?: string;
  proof?: string;
  json?: true;
};

/**
 * `skilltape verify`: works on a copy, without the data directory it came from and without a private key. It opens
 * nothing that is sealed, so it is no look.
 * @param ownArchive where the archive of the configuration stands
 * @param indexed the checkpoints that the index of the configuration has, one a line
 */
export function verifyCommand(output: Output, ownArchive: () => string, indexed: () => Promise<string>): Command {
  return new Command('verify')
    .description('check that an archive is whole and unchanged, or that one exchange stands in it')
    .argument('[directory]', 'the archive, or a copy of it; else the one of the configuration')
    .option(
      '--public-key <file...>',
      "public.pem of the archive's writer, kept elsewhere; else the archive's own is believed",
    )
    .option('--checkpoints <file...>', 'checkpoints that were given outside (archive.checkpointFile)')
    .option('--checkpoints-from <place>', 'index: also those that the index of the configuration was given')
    .option('--prove <exchange>', 'write a proof that this exchange stands in the archive; needs no neighbour of it')
    .option('--out <file>', 'where to write the proof; else standard output')
    .option('--proof <file>', 'check a proof against --public-key alone, without an archive')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `\nExit codes: 0 whole and unchanged, or proven; ${exitNothingFound} no archive or no such exchange; ${exitUsage} the command line is wrong; ${exitDamaged} something was found, or the proof is refuted.`,
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage))
    .action(async (directory: string | undefined, flags: Flags) => {
      try {
        if (flags.proof !== undefined) checkOne(output, flags.proof, flags);
        else if (flags.prove !== undefined) await prove(output, directory ?? ownArchive(), flags.prove, flags);
        else await verifyAll(output, directory ?? ownArchive(), flags, indexed);
      } catch (thrown) {
        tellFault(output, thrown);
      }
    });
}

async function verifyAll(
  output: Output,
  directory: string,
  flags: Flags,
  indexed: () => Promise<string>,
): Promise<void> {
  const { checkpointsFrom } = flags;
  if (checkpointsFrom !== undefined && checkpointsFrom !== 'index')
    throw new SkilltapeError('usage', `--checkpoints-from "${checkpointsFrom}" is not known`, {
      remedy: 'write index',
    });
  const outside = new Map((flags.checkpoints ?? []).map((file) => [file, readText(file)]));
  if (checkpointsFrom !== undefined) outside.set('the index', await indexed());
  const report = await verifyArchive({ directory, fileSystem: nodeFileSystem, publicKeys: keysOf(flags), outside });
  output.write(flags.json ? `${sanitisedJson(report)}\n` : told(report, flags));
  if (report.findings.length > 0) output.setExitCode(exitDamaged);
  else if (report.counts.writers === 0) output.setExitCode(exitNothingFound);
}

function told({ findings, notes, counts }: VerifyReport, flags: Flags): string {
  const { writers, segments, frames, exchanges, metadata, held, checkpoints, outside } = counts;
  const more = [metadata === 0 ? '' : `, metadata of ${metadata}`, held === 0 ? '' : `, ${held} more kept by holds`];
  const lines = [
    ...findings.map((finding) => `${finding.kind}  ${placeOf(finding)}  ${finding.reason}`),
    ...notes.map((note) => `note: ${note.kind}  ${placeOf(note)}  ${note.reason}`),
    `${writers} writers, ${segments} segments, ${frames} frames, ${exchanges} exchanges${more.join('')}, ${checkpoints} checkpoints, ${outside} of outside`,
    findings.length > 0
      ? `${findings.length} findings`
      : writers === 0
        ? 'there is no archive here'
        : 'whole and unchanged',
  ];
  if (flags.publicKey === undefined)
    lines.push("The archive's own public key was believed: give --public-key from elsewhere.");
  if (outside === 0)
    lines.push('No checkpoint of outside was given: an end that was cut off, or a backup put back, cannot be seen.');
  return lines.map((line) => `${sanitiseLine(line)}\n`).join('');
}

function placeOf({ file, ...place }: Finding | Note): string {
  const named = [
    'line' in place && place.line !== undefined ? `line ${place.line}` : '',
    'frame' in place && place.frame !== undefined ? `frame ${place.frame}` : '',
    place.offset !== undefined ? `byte ${place.offset}` : '',
    'exchangeId' in place && place.exchangeId !== undefined ? `exchange ${place.exchangeId}` : '',
  ].filter((part) => part !== '');
  return named.length === 0 ? file : `${file} (${named.join(', ')})`;
}

async function prove(output: Output, directory: string, exchangeId: string, flags: Flags): Promise<void> {
  const given = new Map(keysOf(flags).map((key) => [writerOf(key), key]));
  const keyOf = (writer: string): KeyObject => {
    const file = `${directory}/${writer}/public.pem`;
    return given.get(writer) ?? publicKeyOf(readFileSync(file), file);
  };
  const proof = await proofOf(directory, nodeFileSystem, exchangeId, keyOf);
  if (proof === null) {
    output.writeError('The archive has no such exchange.\n');
    output.setExitCode(exitNothingFound);
    return;
  }
  const text = `${JSON.stringify(proof)}\n`;
  if (flags.out === undefined) output.write(text);
  else writeFileSync(flags.out, text);
}

function checkOne(output: Output, file: string, flags: Flags): void {
  const [key, ...others] = keysOf(flags);
  if (key === undefined || others.length > 0) {
    throw new SkilltapeError('usage', '--proof needs one --public-key', {
      remedy: 'Give the public.pem of the writer.',
    });
  }
  const check = checkProof(readText(file), key);
  if (flags.json) output.write(`${sanitisedJson(check)}\n`);
  else if (check.kind === 'refuted') output.write(`refuted: ${sanitiseLine(check.reason)}\n`);
  else {
    const { exchangeId, of, retentionClass, day, checkpoint, signedMs } = check;
    const what = of === 'metadata' ? 'metadata of exchange' : 'exchange';
    const signed = new Date(signedMs).toISOString();
    output.write(
      `proven: ${what} ${exchangeId} of ${retentionClass}/${day}, signed with checkpoint ${checkpoint} at ${signed}\n`,
    );
  }
  if (check.kind === 'refuted') output.setExitCode(exitDamaged);
}

function keysOf({ publicKey = [] }: Flags): KeyObject[] {
  return publicKey.map((file) => publicKeyOf(Buffer.from(readText(file)), file));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SkilltapeError('usage', `${file} cannot be read`, { cause, remedy: 'Give a file that is there.' });
  }
}

function tellFault(output: Output, thrown: unknown): void {
  const { code, message, remedy } = SkilltapeError.from(thrown);
  // What was to be compared with could not be had: that is no verdict on the archive.
  const isTheirs = code === 'usage' || code === 'key_invalid' || code === 'index_failed';
  if (!isTheirs && code !== 'not_found') throw thrown;
  output.writeError(`${sanitise(remedy === undefined ? message : `${message}\n${remedy}`)}\n`);
  output.setExitCode(isTheirs ? exitUsage : exitNothingFound);
}
