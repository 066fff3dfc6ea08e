import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { outcomes } from '../exchange/outcome.ts';
import { type ExportCounts, exportChats } from '../export/export.ts';
import { openExportFolder } from '../export/folder.ts';
import { type Manifest, manifestOf } from '../export/manifest.ts';
import { type Out, streamSink } from '../export/sink.ts';
import type { SearchQuery } from '../index/port.ts';
import type { Masked } from '../masking/masked.ts';
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { exitNothingFound, type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import { momentHelp } from './moment.ts';
import { filtersOf, queryOf, type SearchFlags, subjectOf } from './search.ts';

/** What the command needs beside what every look needs. */
export type ExportDependencies = {
  version(): string;
  groups(): string[];
  policy(): Promise<{ revision: string; console(input: ConsoleInput): ConsoleDecision }>;
  /** Whether a document is of somebody who was erased. */
  erased(): Promise<(document: ExchangeDocument) => boolean>;
  /** Standard output, as fast as its reader takes it. */
  writeOut: Out;
};

const exitDenied = 3;
const toStream = '-';

type Flags = Omit<SearchFlags, 'limit' | 'before' | 'why'> & { format: string; out: string; reason: string };

/** `skilltape export`: masked conversations for training, for whom policy allows it. */
export function exportCommand(dependencies: LookingDependencies, exporting: ExportDependencies): Command {
  return lookingCommand('export', dependencies, {
    needsReason: true,
    exitCodes: '0 exported, 1 nothing to export, 2 the command line is wrong.',
  })
    .description('write masked conversations to files, one a line, with a manifest; where policy allows it')
    .argument('[text...]', 'words that must all occur, as in `skilltape search`')
    .requiredOption(
      '--out <folder>',
      `folder to make, or ${toStream} for standard output (then the manifest is on the other)`,
    )
    .option('--format <format>', 'jsonl', 'jsonl')
    .option('--user <user>', 'id, e-mail address or name of the user, whole')
    .option('--connection <name>', 'name of the connection')
    .option('--from <time>', `not before: ${momentHelp}`)
    .option('--to <time>', 'before; a plain date includes that day')
    .option('--session <id>', 'session id')
    .option('--outcome <outcome>', outcomes.join(', '))
    .option('--skill <name>', 'a skill that came into use, by its whole name')
    .option('--model <name>', 'the model that was asked for or that answered, by its whole name')
    .option('--noise', 'also what is no prompt of a person')
    .addHelpText('after', `             ${exitDenied} policy denies it.`)
    .action((words: string[], flags: Flags) =>
      tellingUsage(dependencies, () => run(dependencies, exporting, words, flags)),
    );
}

async function run(
  dependencies: LookingDependencies,
  exporting: ExportDependencies,
  words: string[],
  flags: Flags,
): Promise<void> {
  if (flags.format !== 'jsonl')
    throw new SkilltapeError('usage', `--format "${flags.format}" is not known`, { remedy: 'write jsonl' });
  const asked = queryOf(words, { ...flags, limit: '1' }, dependencies);
  // What comes while it is exported is not in it.
  const query = { ...asked, to: asked.to ?? dependencies.now() };
  recordLook(dependencies, 'export', `${subjectOf(query)}\nout: ${flags.out}`, flags.reason);
  // Compiled after the look is on disk, and before anything is read: a policy that is broken exports nothing.
  const policy = await exporting.policy();
  const decision = policy.console(questionOf(query, dependencies, exporting, flags));
  if (decision.verdict !== 'allow') {
    for (const { rule, message } of decision.reasons)
      dependencies.writeError(`${sanitiseLine(`${message} (${rule})`)}\n`);
    dependencies.setExitCode(exitDenied);
    return;
  }
  const manifest = await (flags.out === toStream ? streamed : intoFolder)(dependencies, exporting, {
    query,
    flags,
    allowedBy: policy.revision,
  });
  tell(dependencies, manifest, flags);
}

type Allowed = { query: SearchQuery & { to: Date }; flags: Flags; allowedBy: string };

async function streamed(
  dependencies: LookingDependencies,
  exporting: ExportDependencies,
  allowed: Allowed,
): Promise<Manifest> {
  const sink = streamSink(toStream, exporting.writeOut);
  const exported = await exportedFrom(dependencies, exporting, allowed.query, sink);
  return manifestOf(askedOf(dependencies, exporting, allowed), exported, await sink.end());
}

async function intoFolder(
  dependencies: LookingDependencies,
  exporting: ExportDependencies,
  allowed: Allowed,
): Promise<Manifest> {
  const folder = await openExportFolder(allowed.flags.out);
  try {
    const exported = await exportedFrom(dependencies, exporting, allowed.query, folder);
    const manifest = manifestOf(askedOf(dependencies, exporting, allowed), exported, await folder.end());
    if (exported.counts.conversations > 0) await folder.publish(manifest);
    return manifest;
  } finally {
    await folder.discard();
  }
}

async function exportedFrom(
  dependencies: LookingDependencies,
  exporting: ExportDependencies,
  query: Allowed['query'],
  sink: Parameters<typeof exportChats>[1]['sink'],
) {
  const isErased = await exporting.erased();
  const index = await dependencies.openIndex();
  try {
    return await exportChats(query, {
      ...{ index, sink },
      isErased: async (document) => isErased(document),
      onProgress: seldom((counts) => dependencies.writeError(`${told(counts)}\n`)),
    });
  } finally {
    await index.close();
  }
}

const progressEvery = 1_000;

/** Once for each so many conversations. */
function seldom(tell: (counts: ExportCounts) => void): (counts: ExportCounts) => void {
  let next = progressEvery;
  return (counts) => {
    if (counts.conversations < next) return;
    next = counts.conversations + progressEvery;
    tell(counts);
  };
}

function askedOf(
  { operator, maskQuery, now }: LookingDependencies,
  exporting: ExportDependencies,
  { query, flags, allowedBy }: Allowed,
) {
  return {
    exported_by: { os_user: operator.osUser, uid: operator.uid },
    reason: maskQuery(flags.reason),
    query: Object.fromEntries(
      filtersOf(query).map(([name, text]): [string, Masked<string>] => [name, maskQuery(text)]),
    ),
    ...{ version: exporting.version(), allowedBy, now: now() },
  };
}

/** The question to policy `console`. Without a filter by connection it is about all of them, so none is named. */
function questionOf(
  { connection = '', session = '' }: SearchQuery,
  { operator, now }: LookingDependencies,
  { groups }: ExportDependencies,
  { reason }: Flags,
): ConsoleInput {
  return {
    ...{ version: 1, action: 'export' },
    operator: { kind: 'os', name: operator.osUser, uid: operator.uid, groups: groups() },
    ...{ person: null, connection, session, exchange: '', retention_class: '', types: [], values: 0, reason },
    last_hour: { operator_values: 0, person_values: 0 },
    time: now().toISOString(),
  };
}

function tell(dependencies: LookingDependencies, manifest: Manifest, flags: Flags): void {
  const { counts } = manifest;
  if (flags.out === toStream) dependencies.writeError(`${sanitisedJson(manifest)}\n`);
  else if (flags.json === undefined) dependencies.write(`${told(counts)}\n`);
  else dependencies.write(`${sanitisedJson(manifest)}\n`);
  if (counts.conversations > 0) return;
  dependencies.writeError('Nothing was written.\n');
  dependencies.setExitCode(exitNothingFound);
}

function told({ conversations, exchanges, messages, left_out: left }: ExportCounts): string {
  const parts = [
    [left.erased, 'of erased persons'],
    [left.masking_failed, 'that could not be masked'],
    [left.metadata_only, 'with metadata only'],
    [left.no_messages, 'without a message'],
    [left.gone, 'deleted meanwhile'],
  ] as const;
  const out = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const leftOut = out.length === 0 ? '' : `; left out: ${out.join(', ')}`;
  return `${conversations} conversations of ${exchanges} exchanges and ${messages} messages${leftOut}`;
}
