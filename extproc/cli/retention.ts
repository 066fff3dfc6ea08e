import { Command } from 'commander';
import { Pending } from '../retention/erase.ts';
import type { Budget, Kept, Plan, Step } from '../retention/plan.ts';
import type { SweepEnded } from '../retention/receipts.ts';
import { planNow, sweep } from '../retention/sweep.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { askedBy } from './asked.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import type { WithRetention } from './retention-of.ts';

const exitStillToDo = 3;

/** `skilltape retention`: what is too old to be kept. */
export function retentionCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  return new Command('retention')
    .description('delete what is too old to be kept: say what would go, or let it go')
    .addCommand(planCommand(dependencies, withRetention))
    .addCommand(sweepCommand(dependencies, withRetention));
}

function planCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  return lookingCommand('plan', dependencies, { exitCodes: '0 told, 2 the command line is wrong.' })
    .description('say what would go now, and what would not, and why; changes nothing')
    .action((flags: { json?: true; why?: string }) =>
      tellingUsage(dependencies, async () => {
        recordLook(dependencies, 'retention', 'plan', flags.why);
        const plan = await withRetention(planNow);
        dependencies.write(flags.json ? `${sanitisedJson(plan)}\n` : planText(plan));
      }),
    );
}

function sweepCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  const exitCodes = `0 all that was due is gone or held, 2 the command line is wrong,
            ${exitStillToDo} something is still to do: the receipt says what, and the next sweep does it.`;
  return lookingCommand('sweep', dependencies, { exitCodes, needsReason: true })
    .description('delete what is due in every store, and leave a receipt')
    .action((flags: { json?: true; reason: string }) =>
      tellingUsage(dependencies, async () => {
        recordLook(dependencies, 'retention', 'sweep', flags.reason);
        const asked = askedBy(dependencies, flags.reason);
        const receipt = await withRetention((parts) => sweep(parts, asked, new Pending(parts)));
        dependencies.write(flags.json ? `${sanitisedJson(receipt)}\n` : receiptText(receipt));
        if (isStillToDo(receipt)) dependencies.setExitCode(exitStillToDo);
      }),
    );
}

function isStillToDo({ toDo, away, erasures }: SweepEnded): boolean {
  return toDo.length > 0 || Object.keys(away).length > 0 || erasures.waiting.length > 0;
}

function planText({ steps, kept, young, budget, away }: Plan & { away: Record<string, string> }): string {
  return lines([
    ...steps.map((step) => `${`would ${step.action}`.padEnd(12)}  ${stepText(step)}${aroundText(step)}`),
    ...kept.map(keptText),
    ...young.map(({ store, retentionClass, days, nextMs }) => {
      return `not due       ${store} ${retentionClass}: ${days} days, the next one ${new Date(nextMs).toISOString()}`;
    }),
    ...Object.entries(away).map(([store, reason]) => `cannot be asked now: ${store}: ${reason}`),
    ...(budget === null ? [] : [budgetText(budget)]),
  ]);
}

function receiptText({ number, done, kept, toDo, away, sums, erasures }: SweepEnded): string {
  return lines([
    ...done.map(
      (step) => `${pastOf[step.action].padEnd(7)}  ${stepText(step)}${aroundText(step)}${heldText(step.held)}`,
    ),
    ...kept.map(keptText),
    ...toDo.map((step) => `to do    ${stepText(step)}: ${step.reason}`),
    ...Object.entries(away).map(([store, reason]) => `away     ${store}: ${reason}`),
    ...erasures.finished.map((run) => `finished erasure ${run}`),
    ...(erasures.inJournal ?? []).map((run) => `erasure ${run} waits for the journals`),
    ...erasures.waiting.map((run) => `erasure ${run} is not finished`),
    ...Object.entries(sums).map(([store, { items, bytes }]) => `${store}: ${items} in all, ${bytes} bytes`),
    `receipt ${number}`,
  ]);
}

const pastOf = { delete: 'deleted', reduce: 'reduced', move: 'moved' } as const;

/** The holds that it goes around. */
function aroundText({ holds }: Step): string {
  return holds === undefined ? '' : `, but for ${holds.join(' ')}`;
}

function heldText(held: SweepEnded['done'][number]['held']): string {
  return held === undefined ? '' : `: ${held.exchanges} exchanges stay, ${held.bytes} bytes`;
}

function stepText({ store, retentionClass, day, items, bytes, because }: Step): string {
  const size = bytes === 0 ? '' : `, ${bytes} bytes`;
  return `${store} ${retentionClass} ${day}: ${items}${size} (${because})`;
}

function keptText(kept: Kept): string {
  return `kept     ${stepText(kept)}: ${[kept.why, ...kept.holds].join(' ')}`;
}

function budgetText({ budgetBytes, usedBytes, freedBytes, isMet }: Budget): string {
  const met = isMet ? '' : ': more is used than may be, and nothing more may go';
  return `the volume: ${usedBytes} of ${budgetBytes} bytes used, ${freedBytes} would be free${met}`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${sanitiseLine(text)}\n`).join('');
}
