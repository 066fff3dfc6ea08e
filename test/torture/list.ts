import { archiveTampering } from './archive-tampering.ts';
import { endings } from './endings.ts';
import { evaluations } from './evaluations.ts';
import { heldClientsTorture } from './held-clients.ts';
import { journalModel } from './journal-model.ts';
import { kills } from './kills/kills.ts';
import { killSweep } from './kills/sweep.ts';
import { killsWorkers } from './kills/workers.ts';
import { liveEdit } from './live-edit.ts';
import type { Torture } from './torture.ts';

/** In the order in which they run. A new one is added here and described in README.md. */
export const tortures: readonly Torture[] = [
  journalModel,
  archiveTampering,
  killSweep,
  kills,
  killsWorkers,
  endings,
  liveEdit,
  evaluations,
  heldClientsTorture,
];
