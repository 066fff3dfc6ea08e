import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { BuiltInType, Finding, FindingType } from '../masking/finding.ts';
import { Masker } from '../masking/masker.ts';
import { builtInDetection, detectionOf } from '../masking/own-detection.ts';
import type { Scanner } from '../masking/scan.ts';
import { spansOf } from '../masking/spans.ts';
import type { Scan } from '../masking/text-masking.ts';
import { whyFound } from '../masking/why-found.ts';
import { type LookingDependencies, lookingCommand, tellingUsage } from './looking.ts';
import { maskRecorded, type RecordedFlags } from './mask-recorded.ts';
import { momentHelp } from './moment.ts';
import { detectorsAt } from './own-detectors.ts';
import type { RecordedDependencies } from './recorded-of.ts';

export type MaskDependencies = { input: Readable; recorded: RecordedDependencies };

type MaskFlags = RecordedFlags & { in?: string; rules?: string; explain: boolean; recorded?: true };

const document = z.object({ id: z.union([z.string(), z.number()]).optional(), text: z.string() });

/** What the types are called in labelled data, by the names that most tools for personal data use. */
const labels: Readonly<Record<BuiltInType, string>> = {
  EMAIL: 'EMAIL_ADDRESS',
  CARD: 'CREDIT_CARD',
  IBAN: 'IBAN_CODE',
  PHONE: 'PHONE_NUMBER',
  SSN: 'US_SSN',
  IP: 'IP_ADDRESS',
  MAC: 'MAC_ADDRESS',
  URL: 'URL',
  NATIONAL_ID: 'NATIONAL_ID',
  BIRTH_DATE: 'DATE_OF_BIRTH',
  WALLET: 'CRYPTO',
  NAME: 'PERSON',
  ADDRESS: 'LOCATION',
  CUSTOMER: 'CUSTOMER',
  PROJECT: 'PROJECT',
  SECRET: 'SECRET',
  PEM: 'PRIVATE_KEY',
  DEEP: 'DEEP',
};

/** What a type is called in labelled data. */
export function labelOf(type: FindingType): string {
  return labels[type as BuiltInType] ?? type;
}

/**
 * `skilltape mask`: what the masking engine finds in texts that are given, one JSON object a line; or in what is
 * recorded, by counts.
 */
export function maskCommand(looking: LookingDependencies, { input, recorded }: MaskDependencies): Command {
  return lookingCommand('mask', looking, {
    exitCodes: '0 done, 1 nothing is recorded, 2 a line, a file, a rule or the command line cannot be read.',
  })
    .description('show what masking finds: JSON lines {id, text} in, {id, spans: [{s, e, t, score}], text} out')
    .option('--in <file>', 'read this file instead of the standard input')
    .option(
      '--rules <path>',
      'with the detectors of this file, or of this policy directory (lists/detectors/data.json)',
    )
    .option('--explain', 'add the rule that found each span, and why', false)
    .option('--recorded', 'count what would be found in recorded exchanges, beside what the index has; changes nothing')
    .option('--from <time>', `with --recorded, not before: ${momentHelp}`)
    .option('--to <time>', 'with --recorded, before; a plain date includes that day')
    .option('--policies <directory>', 'with --recorded, policies to decide by in place of those configured')
    .addHelpText(
      'after',
      '\nOffsets count UTF-16 code units, the end excluded. All detectors are on, also those that `record` leaves off' +
        ' (URL). Tokens are made with a key of this run alone.',
    )
    .action((flags: MaskFlags) =>
      isOfRecorded(flags)
        ? tellingUsage(looking, () => maskRecorded(looking, recorded, flags))
        : mask(flags, flags.in === undefined ? input : createReadStream(flags.in), looking.write),
    );
}

function isOfRecorded({ recorded, from, to, policies, why, in: file, rules, explain }: MaskFlags): boolean {
  const ofRecorded = { '--from': from, '--to': to, '--policies': policies, '--why': why };
  const ofTexts = { '--in': file, '--rules': rules, '--explain': explain || undefined };
  const [stray] = Object.entries(recorded ? ofTexts : ofRecorded).filter(([, value]) => value !== undefined);
  if (stray === undefined) return recorded === true;
  throw new SkilltapeError('usage', `${stray[0]} goes ${recorded ? 'not with' : 'only with'} --recorded`, {
    remedy: 'leave one of them out',
  });
}

async function mask({ explain, rules }: MaskFlags, input: Readable, write: (text: string) => void): Promise<void> {
  const key = randomBytes(32);
  const detection = rules === undefined ? builtInDetection : detectionOf(detectorsAt(rules));
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() === '') continue;
      const { id, text } = readLine(line, number);
      const scan = rememberingScan(detection.scanner);
      const spans = spansOf(text, scan).map((finding) => span(finding, explain));
      const masked = new Masker({ key, scan, detection }).text(text, String(id ?? number)).value;
      write(`${JSON.stringify({ id, spans, text: masked })}\n`);
    }
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    throw new SkilltapeError('usage', `the input cannot be read: ${SkilltapeError.from(thrown).message}`, {
      cause: thrown,
      remedy: 'name a file that is there and that you may read',
    });
  }
}

/** The scan of one document, which is asked the same twice: for its spans, and to mask it. */
function rememberingScan(scanner: Scanner): Scan {
  const answers = new Map<string, { findings: Finding[]; phoneChecks: number }>();
  return (text, keyName, budget) => {
    const question = `${budget.phoneChecks} ${keyName.length} ${keyName}${text}`;
    const known = answers.get(question);
    if (known !== undefined) {
      budget.phoneChecks = known.phoneChecks;
      return known.findings;
    }
    const findings = scanner.everything(text, keyName, budget);
    answers.set(question, { findings, phoneChecks: budget.phoneChecks });
    return findings;
  };
}

function readLine(line: string, number: number): z.output<typeof document> {
  const remedy = 'give one JSON object a line, with a string under "text" and, where you like, an "id"';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new SkilltapeError('usage', `line ${number} is no JSON`, { remedy });
  }
  const read = document.safeParse(value);
  if (!read.success) throw new SkilltapeError('usage', `line ${number} has no text`, { remedy });
  return read.data;
}

function span(finding: Finding, explain: boolean): Record<string, unknown> {
  const { start, end, type, score, rule } = finding;
  return { s: start, e: end, t: labelOf(type), score, ...(explain ? { rule, why: whyFound(finding) } : {}) };
}
