import type { Command } from 'commander';
import type { IndexSearch } from '../index/port.ts';
import type { Masked } from '../masking/masked.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { renderTranscript } from '../terminal/transcript.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  withIndex,
} from './looking.ts';

type Flags = { json?: true; why?: string };

/** `skilltape show ID`: one exchange, or the exchanges of a session in the order of time. */
export function showCommand(dependencies: LookingDependencies): Command {
  return lookingCommand('show', dependencies)
    .description('show the transcript of an exchange or of a whole session')
    .argument('<id>', 'id of an exchange (x-skilltape-exchange) or of a session (x-skilltape-session)')
    .action((id: string, flags: Flags) => tellingUsage(dependencies, () => show(dependencies, id, flags)));
}

async function show(dependencies: LookingDependencies, id: string, flags: Flags): Promise<void> {
  recordLook(dependencies, 'show', id, flags.why);
  const documents = await withIndex(dependencies, (index) => exchangesUnder(index, id));
  if (documents.length === 0) {
    dependencies.writeError(
      `No exchange and no session "${sanitiseLine(id)}" in the index. An exchange appears a moment after it ended.\n`,
    );
    dependencies.setExitCode(exitNothingFound);
    return;
  }
  if (flags.json === undefined) {
    dependencies.write(renderTranscript(documents, dependencies));
    return;
  }
  for (const document of documents) dependencies.write(`${sanitisedJson(document)}\n`);
}

async function exchangesUnder(index: IndexSearch, id: string): Promise<Masked<ExchangeDocument>[]> {
  const exchange = await index.get(id);
  return exchange === null ? index.session(id) : [exchange];
}
