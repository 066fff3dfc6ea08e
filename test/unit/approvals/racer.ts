/** A thread that takes the same steps as others at the same time; each has the tickets open for itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { Tickets } from '../../../extproc/approvals/tickets.ts';
import { approval, approvalRequest, denial } from '../../builders/approval.ts';

export type Race = { file: string; what: 'approve' | 'deny' | 'ask'; name: string; turns: string[]; gate: Int32Array };

const { file, what, name, turns, gate } = workerData as Race;
const racers = 2;
const tickets = new Tickets(file);
const kinds: string[] = [];
for (const [at, turn] of turns.entries()) {
  Atomics.add(gate, 0, 1);
  // All begin a turn in the same moment, as near as threads can.
  while (Atomics.load(gate, 0) < racers * (at + 1));
  if (what === 'ask') {
    kinds.push(tickets.ask(approvalRequest({ binding: turn, exchangeId: `${name}-${turn}`, scopes: [] }), 2).kind);
  } else kinds.push(tickets.decide(turn, what === 'approve' ? approval(name) : denial(name), 2).kind);
}
tickets.close();
parentPort?.postMessage(kinds);
