import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { type IndexSearch, sessionDocumentsMax } from '../index/port.ts';
import type { Masked } from '../masking/masked.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exchangesOf, sessionTree } from '../terminal/session-tree.ts';
import { renderTranscript } from '../terminal/transcript.ts';
import { treeJson } from '../terminal/tree-json.ts';
import { renderTree } from '../terminal/tree-page.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import type { ArchivedLook, OpenArchived } from './archived-of.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  withIndex,
} from './looking.ts';

type Document = Masked<ExchangeDocument>;
type Flags = { session?: string; from?: string; reason?: string; json?: true; why?: string };

/** Prompts of one batch that are shown with it; the others are found by a search. */
const batchShownMax = 200;

/** `skilltape show ID`: one exchange, or the exchanges of a session in the order of time; or a session's tree. */
export function showCommand(dependencies: LookingDependencies, archived: OpenArchived): Command {
  return lookingCommand('show', dependencies)
    .description('show the transcript of an exchange or of a whole session, or the tree of a session')
    .argument('[id]', 'id of an exchange (x-skilltape-exchange) or of a session (x-skilltape-session)')
    .option('--session <id>', 'show the tree of this session: its prompts, their agents, their exchanges')
    .option('--from <place>', '"archive": read one exchange there, which the index does not have any more')
    .option('--reason <reason>', 'why the archive is read; recorded with the look')
    .action((id: string | undefined, flags: Flags) =>
      tellingUsage(dependencies, async () => {
        if (flags.from !== undefined || flags.reason !== undefined)
          await showArchived(dependencies, archived, onlyId(id), flags);
        else if (flags.session === undefined) await show(dependencies, onlyId(id), flags);
        else await showTree(dependencies, withoutId(id, flags.session), flags);
      }),
    );
}

/** By its id alone: the archive has no other way to find one. */
async function showArchived(
  dependencies: LookingDependencies,
  archived: OpenArchived,
  id: string,
  { from, reason, session, json }: Flags,
): Promise<void> {
  if (from !== 'archive')
    throw new SkilltapeError('usage', '--reason is for --from archive, which is the only other place', {
      remedy: 'write --from archive, or give --why for a look into the index',
    });
  if (session !== undefined)
    throw new SkilltapeError('usage', 'the archive finds exchanges, not sessions', { remedy: 'leave out --session' });
  if (reason === undefined)
    throw new SkilltapeError('usage', 'the archive is read for a reason', { remedy: "give it: --reason 'case 12'" });
  recordLook(dependencies, 'show', `${id}\nfrom: archive`, reason);
  const look = await archived(id);
  if ('documents' in look) {
    if (look.kind === 'left') dependencies.writeError('Its content is gone: this is what the archive keeps of it.\n');
    if (json === undefined) dependencies.write(pageOf(look.documents, dependencies));
    else for (const document of look.documents) dependencies.write(`${sanitisedJson(document)}\n`);
    return;
  }
  dependencies.writeError(`${sanitiseLine(notShown(id, look))}\n`);
  dependencies.setExitCode(exitNothingFound);
}

function notShown(id: string, look: Exclude<ArchivedLook, { documents: unknown }>): string {
  switch (look.kind) {
    case 'absent':
      return `No exchange "${id}" in the archive. An exchange is there a moment after it ended; retention deletes it.`;
    case 'erased':
      return `The person of exchange ${id} was erased: nobody can read it.`;
    case 'unreadable':
      return `Exchange ${id} is in the archive and cannot be read: ${look.reason}.`;
    default:
      return look satisfies never;
  }
}

function onlyId(id: string | undefined): string {
  if (id !== undefined) return id;
  throw new SkilltapeError('usage', "missing required argument 'id'", {
    remedy: 'give the id of an exchange or of a session, or --session with the id of one',
  });
}

function withoutId(id: string | undefined, session: string): string {
  if (id === undefined) return session;
  throw new SkilltapeError('usage', 'both an id and --session are given', { remedy: 'give one of them' });
}

async function show(dependencies: LookingDependencies, id: string, flags: Flags): Promise<void> {
  recordLook(dependencies, 'show', id, flags.why);
  const { documents, omitted } = await withIndex(dependencies, (index) => documentsUnder(index, id));
  if (documents.length === 0) {
    tellNothing(dependencies, `No exchange and no session "${sanitiseLine(id)}" in the index.`);
    return;
  }
  if (flags.json === undefined) dependencies.write(pageOf(documents, dependencies));
  else for (const document of documents) dependencies.write(`${sanitisedJson(document)}\n`);
  if (omitted !== null) dependencies.writeError(omitted);
}

/** A session in which agents worked begins with its tree: the transcripts alone do not tell who asked whom. */
function pageOf(documents: readonly Document[], options: LookingDependencies): string {
  const tree = sessionTree(documents);
  const hasAgents = documents.length > 1 && tree.some(({ main }) => main.agents.length > 0);
  const session = documents[0]?.skilltape.session.id ?? '';
  return `${hasAgents ? `${renderTree(session, tree, options)}\n` : ''}${renderTranscript(documents, options)}`;
}

async function showTree(dependencies: LookingDependencies, session: string, flags: Flags): Promise<void> {
  recordLook(dependencies, 'show', `session: ${session}`, flags.why);
  const { documents, isWhole } = await withIndex(dependencies, (index) => index.session(session));
  if (documents.length === 0) {
    tellNothing(dependencies, `No session "${sanitiseLine(session)}" in the index.`);
    return;
  }
  const tree = sessionTree(documents);
  dependencies.write(
    flags.json === undefined
      ? renderTree(session, tree, dependencies)
      : `${sanitisedJson({ session, tree: treeJson(tree) })}\n`,
  );
  if (!isWhole) dependencies.writeError(longSession(session));
}

function longSession(session: string): string {
  return `The session has more than ${sessionDocumentsMax} documents; these are the oldest. \`skilltape search --session ${sanitiseLine(session)}\` finds the others, newest first.\n`;
}

function tellNothing(dependencies: LookingDependencies, sentence: string): void {
  dependencies.writeError(`${sentence} An exchange appears a moment after it ended.\n`);
  dependencies.setExitCode(exitNothingFound);
}

/** `omitted` says what is not among the documents, or is null. */
type Found = { documents: Document[]; omitted: string | null };

async function documentsUnder(index: IndexSearch, id: string): Promise<Found> {
  const exchange = await index.get(id);
  if (exchange !== null) return withBatch(index, exchange);
  const { documents, isWhole } = await index.session(id);
  return {
    documents: exchangesOf(documents).flatMap(({ document, batch }) => [document, ...batch]),
    omitted: isWhole ? null : longSession(id),
  };
}

/** The prompts or answers of a batch have the id of their exchange with a number from 1 to the size of the batch. */
async function withBatch(index: IndexSearch, exchange: Document): Promise<Found> {
  const { batch } = exchange.skilltape;
  const size = exchange.event.action === 'exchange' ? (batch?.size ?? 0) : 0;
  const shown = Math.min(size, batchShownMax);
  const documents = [exchange];
  for (let number = 1; number <= shown; number += 1) {
    const child = await index.get(`${exchange.event.id}.${number}`);
    if (child !== null) documents.push(child);
  }
  const more = size - shown;
  return {
    documents,
    omitted:
      more === 0 ? null : `${more} more documents of its batch are not shown: search with --session finds them.\n`,
  };
}
