/** What `npm run torture` runs is made of these. */

export type TortureOptions = {
  seed: number;
  /** What one round is, each torture says. */
  rounds: number;
  progress: (line: string) => void;
};

/** `counts` is what was done, in figures for people; a torture has passed when `violations` is empty. */
export type TortureReport = { counts: Record<string, number>; violations: readonly string[] };

export type Torture = {
  name: string;
  /** One line, and what a round is. */
  description: string;
  roundsDefault: number;
  run(options: TortureOptions): Promise<TortureReport>;
};
