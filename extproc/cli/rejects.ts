import { Command } from 'commander';
import type { IndexSink } from '../index/port.ts';
import type { Reject, RejectList, Rejects } from '../index/rejects.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exitNothingFound, type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';

/** Some were not taken this time. */
const exitNotTaken = 3;
const documentsPerDelivery = 20;

export type RejectsDependencies = {
  /** The list to look at. */
  openRejects(): RejectList & { close(): void };
  /** The list to take from, and the index to deliver to. */
  openDelivery(): Promise<{
    rejects: Pick<Rejects, 'each' | 'remove'>;
    sink: Pick<IndexSink, 'deliver'>;
    close(): Promise<void>;
  }>;
};

/** `skilltape rejects`: the documents that the index refused for good. */
export function rejectsCommand(dependencies: LookingDependencies, rejects: RejectsDependencies): Command {
  const list = lookingCommand('list', dependencies)
    .description('list the refused documents, oldest first')
    .action((flags: Flags) => tellingUsage(dependencies, async () => listAll(dependencies, rejects, flags)));
  const retry = lookingCommand('retry', dependencies)
    .description('deliver the refused documents again, after what refused them was mended')
    .addHelpText('after', `             ${exitNotTaken} some were refused again or could not be taken now.`)
    .action((flags: Flags) => tellingUsage(dependencies, () => retryAll(dependencies, rejects, flags)));
  return new Command('rejects').description('the documents that the index refused').addCommand(list).addCommand(retry);
}

type Flags = { json?: true; why?: string };

function listAll(dependencies: LookingDependencies, { openRejects }: RejectsDependencies, flags: Flags): void {
  recordLook(dependencies, 'rejects', 'list', flags.why);
  const rejects = openRejects();
  try {
    if (rejects.count() === 0) tellNone(dependencies);
    for (const reject of rejects.each())
      dependencies.write(`${flags.json === undefined ? lineOf(reject) : sanitisedJson(reject)}\n`);
  } finally {
    rejects.close();
  }
}

function lineOf({ id, time, reason }: Reject): string {
  return sanitiseLine(`${id === '' ? '(no id)' : id}  ${time}  ${reason}`);
}

async function retryAll(
  dependencies: LookingDependencies,
  { openRejects, openDelivery }: RejectsDependencies,
  flags: Flags,
): Promise<void> {
  recordLook(dependencies, 'rejects', 'retry', flags.why);
  // Opening it for writing would make a list where there is none.
  const list = openRejects();
  const count = list.count();
  list.close();
  if (count === 0) {
    tellNone(dependencies);
    return;
  }
  const delivery = await openDelivery();
  try {
    const result = await deliverAll(delivery);
    if (flags.json !== undefined) dependencies.write(`${sanitisedJson(result)}\n`);
    else dependencies.write(`${result.taken} taken, ${result.refused} refused again\n`);
    if (result.waiting !== null)
      dependencies.writeError(`The index cannot take the others now: ${sanitiseLine(result.waiting)}\n`);
    if (result.refused > 0 || result.waiting !== null) dependencies.setExitCode(exitNotTaken);
  } finally {
    await delivery.close();
  }
}

/** `waiting`: why the index could not go on; null when all were delivered. */
type RetryResult = { taken: number; refused: number; waiting: string | null };

async function deliverAll({
  rejects,
  sink,
}: Awaited<ReturnType<RejectsDependencies['openDelivery']>>): Promise<RetryResult> {
  const result: RetryResult = { taken: 0, refused: 0, waiting: null };
  let batch: Reject[] = [];
  const deliver = async (): Promise<void> => {
    const deliveries = await sink.deliver(batch.map(({ document }) => document));
    for (const [at, delivery] of deliveries.entries()) {
      if (delivery.kind === 'retry') result.waiting = delivery.reason;
      else if (delivery.kind === 'rejected') result.refused += 1;
      else {
        rejects.remove(batch[at]?.id ?? '');
        result.taken += 1;
      }
    }
    batch = [];
  };
  for (const reject of rejects.each()) {
    batch.push(reject);
    if (batch.length === documentsPerDelivery) await deliver();
    if (result.waiting !== null) return result;
  }
  if (batch.length > 0) await deliver();
  return result;
}

function tellNone(dependencies: LookingDependencies): void {
  dependencies.writeError('The index refused no document.\n');
  dependencies.setExitCode(exitNothingFound);
}
