import type { Command } from 'commander';
import { Pending } from '../retention/erase.ts';
import type { EraseReceipt } from '../retention/receipts.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { askedBy, personGiven } from './asked.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import type { WithRetention } from './retention-of.ts';

const exitRefused = 1;
const exitWaiting = 3;

/** `skilltape erase`: takes a person out of every store; a hold on them wins. */
export function eraseCommand(dependencies: LookingDependencies, withRetention: WithRetention): Command {
  const exitCodes = `0 erased, ${exitRefused} refused because of a hold, 2 the command line is wrong,
            ${exitWaiting} the keys are destroyed and something is still to do: the next \`skilltape retention sweep\` does it.`;
  return lookingCommand('erase', dependencies, { exitCodes, needsReason: true })
    .description('destroy the keys of a person, and delete their documents and values; cannot be undone')
    .requiredOption('--person <issuer-and-subject...>', 'the issuer and the subject of the tokens')
    .action((flags: { person: string[]; json?: true; reason: string }) =>
      tellingUsage(dependencies, async () => {
        const person = personGiven(flags.person);
        recordLook(dependencies, 'erase', `issuer: ${person.issuer}\nsubject: ${person.subject}`, flags.reason);
        const asked = askedBy(dependencies, flags.reason);
        const receipt = await withRetention((parts) => new Pending(parts).erase(person, asked));
        dependencies.write(flags.json ? `${sanitisedJson(receipt)}\n` : receiptText(receipt));
        if (receipt.outcome === 'refused') dependencies.setExitCode(exitRefused);
        else if (receipt.outcome === 'waiting') dependencies.setExitCode(exitWaiting);
      }),
    );
}

function receiptText({ number, outcome, holds, keys, documents, rejects, values, toDo }: EraseReceipt): string {
  const told = {
    refused: [`Refused: ${holds.join(', ')} covers this person. Nothing was erased.`],
    waiting: toDo.map((what) => `Still to do: ${what}`),
    erased: [`The journals let go of what the person said within \`journal.maxAgeHours\`; it goes nowhere from there.`],
    left_journals: ['The journals have nothing of the person any more.'],
  }[outcome];
  const counts =
    outcome === 'refused'
      ? []
      : [`${keys} keys, ${documents} documents, ${rejects} refused documents and ${values} values are gone.`];
  return [...counts, ...told, `receipt ${number}`].map((text) => `${sanitiseLine(text)}\n`).join('');
}
